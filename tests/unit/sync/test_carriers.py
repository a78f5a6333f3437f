"""Where a parcel can be followed: links that are safe, and none where nobody knows."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.orders.models import Parcel
from shared.sync.carriers import tracked


def link(carrier: str | None, number: str | None, url: str | None = None) -> str | None:
    return tracked(Parcel(carrier=carrier, number=number, url=url)).link


@pytest.mark.parametrize(
    ("carrier", "host"),
    [
        ("DHL", "www.dhl.com"),
        ("dhl express", "www.dhl.com"),
        ("DHL Paket", "www.dhl.de"),
        ("UPS®", "www.ups.com"),
        ("FedEx Ground", "www.fedex.com"),
        ("USPS", "tools.usps.com"),
        ("PostNL", "jouw.postnl.nl"),
        ("Post NL", "jouw.postnl.nl"),
        ("DPD", "tracking.dpd.de"),
        ("DPD UK", "track.dpd.co.uk"),
        ("GLS", "gls-group.com"),
        ("Royal Mail", "www.royalmail.com"),
        ("Colissimo", "www.laposte.fr"),
        ("La Poste", "www.laposte.fr"),
        ("Deutsche Post", "www.deutschepost.de"),
        ("顺丰速运", "www.sf-express.com"),
        ("SF Express", "www.sf-express.com"),
        ("圆通", "www.kuaidi100.com"),
        ("YTO Express", "www.kuaidi100.com"),
        ("中通快递", "www.kuaidi100.com"),
        ("韵达", "www.kuaidi100.com"),
        ("EMS", "www.kuaidi100.com"),
        ("中国邮政", "www.kuaidi100.com"),
    ],
)
def test_a_carrier_is_known_by_its_usual_names(carrier: str, host: str) -> None:
    found = link(carrier, "AB 1234.5678")
    assert found is not None
    assert urlsplit(found).hostname == host
    assert "AB12345678" in found


@pytest.mark.parametrize("carrier", ["Cups and More", "Adhl", "Mr. Glasson", "The neighbour", "own van", "!!!"])
def test_an_unknown_carrier_has_a_number_and_no_link(carrier: str) -> None:
    parcel = tracked(Parcel(carrier=carrier, number="12345678", url=None))
    assert (parcel.number, parcel.link) == ("12345678", None)


@pytest.mark.parametrize(
    ("number", "host"),
    [
        ("1Z999AA10123456784", "www.ups.com"),
        ("1z 999 AA1 01 2345 6784", "www.ups.com"),
        ("SF1234567890123", "www.sf-express.com"),
        ("YT1234567890123", "www.kuaidi100.com"),
        ("RR473124829NL", "jouw.postnl.nl"),
        ("RR473124829CN", "www.kuaidi100.com"),
        ("9400111899223197428490", "tools.usps.com"),
    ],
)
def test_a_number_without_a_carrier_is_known_by_a_shape_of_its_own(number: str, host: str) -> None:
    found = link(None, number)
    assert found is not None
    assert urlsplit(found).hostname == host


@pytest.mark.parametrize("number", ["RR473124820NL", "RR473124829XX", "12345678", "A", "", "-"])
def test_what_only_looks_like_a_number_leads_nowhere(number: str) -> None:
    assert link(None, number) is None


def test_a_given_link_goes_first_and_only_a_web_page_is_one() -> None:
    given_one = "https://carrier.example/t/1?x=2#y"
    assert link("DHL", "12345678", given_one) == given_one
    assert link(None, None, given_one) == given_one
    for bad in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//host/x",
        "https://",
        "http:///x",
        "https://bank.example@evil.example/",
        "https://a.example/ b",
        "https://a.example/\nx",
        'https://a.example/"onclick=',
        "https://a.example/<b>",
        "https://[::1",
        "ftp://a.example/x",
        "https://a.example/" + "x" * 3000,
    ):
        assert link(None, "12345678", bad) is None, bad


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_a_safe_link_or_none(carrier: str, number: str, url: str) -> None:
    for named in (carrier, "DHL", ""):
        parcel = tracked(Parcel(carrier=named, number=number, url=url))
        for text in (parcel.carrier, parcel.number):
            assert text is None or (text.isprintable() and text == " ".join(text.split()))
        if parcel.link is not None:
            parts = urlsplit(parcel.link)
            assert parts.scheme in ("http", "https")
            assert parts.hostname
            assert parcel.link.isascii()
            assert not set(parcel.link) & set("\"'<> \r\n")


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=4, max_size=40))
def test_a_number_stays_within_its_place_in_the_address(number: str) -> None:
    found = link("FedEx", number)
    if found is not None:
        head, _, value = found.partition("trknbr=")
        assert head == "https://www.fedex.com/fedextrack/?"
        assert not set(value) & set("&#?/=")
        assert unquote(value)
