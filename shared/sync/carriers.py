"""Where the public can follow a parcel: an address for its number, by the carrier's name or the number's own shape.

The addresses are the carriers' own public pages; for the Chinese carriers whose page takes no number it is that of
kuaidi100.com. They are offered, never called. What the storefront or the back office gives as a link goes first.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from shared.kernel.model import Canonical
from shared.orders.models import Parcel


class TrackedParcel(Canonical):
    """A parcel as a buyer may see it."""

    carrier: str | None
    number: str | None
    link: str | None
    """An http or https address, safe to be shown as a link once it is escaped."""


def tracked(parcel: Parcel) -> TrackedParcel:
    """The parcel with the link that was given, or else with the carrier's; an unknown carrier's has none."""
    carrier, number = _one_line(parcel.carrier), _one_line(parcel.number)
    link = _given(parcel.url) or (_followed(carrier or "", number) if number else None)
    return TrackedParcel(carrier=carrier, number=number, link=link)


def _given(url: str | None) -> str | None:
    """An address that a browser takes for a web page of some host, and no reader for another's."""
    text = (url or "").strip()
    if len(text) > _LONGEST_URL or not re.fullmatch(r"[!-~]+", text) or set(text) & set("\"'<>\\^`{|}"):
        return None
    try:
        parts = urlsplit(text)
        host, user = parts.hostname, parts.username
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host and user is None else None


def _followed(carrier: str, number: str) -> str | None:
    plain = re.sub(r"[\s.-]+", "", number)
    if not 4 <= len(plain) <= _LONGEST_NUMBER:  # noqa: PLR2004 - nothing shorter is a number of any carrier
        return None
    name = _named(carrier) if carrier else _of_shape(plain.upper())
    return _PAGES[name].replace("{number}", quote(plain, safe="")) if name else None


def _named(carrier: str) -> str | None:
    words = " ".join(re.findall(r"[^\W_]+", carrier.casefold()))
    return next((name for name, pattern in _NAMES.items() if re.search(pattern, words)), None)


def _of_shape(number: str) -> str | None:
    found = next((name for pattern, name in _SHAPES.items() if re.fullmatch(pattern, number)), None)
    if found is None and re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", number) and _is_postal(number):
        return _POSTS.get(number[-2:])
    return found


def _is_postal(number: str) -> bool:
    """Whether the check digit is that of UPU standard S10."""
    weighted = sum(int(digit) * weight for digit, weight in zip(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    check = 11 - weighted % 11
    return int(number[10]) == {10: 0, 11: 5}.get(check, check)


def _one_line(text: str | None) -> str | None:
    printable = "".join(character if character.isprintable() else " " for character in text or "")
    return " ".join(printable.split())[:_LONGEST_TEXT] or None


_LONGEST_URL = 2000
_LONGEST_NUMBER = 50
_LONGEST_TEXT = 100

_PAGES: Final[Mapping[str, str]] = {
    "dhl_paket": "https://www.dhl.de/de/privatkunden/pakete-empfangen/verfolgen.html?piececode={number}",
    "dhl": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}&submit=1",
    "ups": "https://www.ups.com/track?tracknum={number}",
    "fedex": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
    "postnl": "https://jouw.postnl.nl/track-and-trace/{number}",
    "dpd_uk": "https://track.dpd.co.uk/search?reference={number}",
    "dpd": "https://tracking.dpd.de/status/en_US/parcel/{number}",
    "gls": "https://gls-group.com/track/{number}",
    "royal_mail": "https://www.royalmail.com/track-your-item#/tracking-results/{number}",
    "evri": "https://www.evri.com/track/parcel/{number}",
    "chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}",
    "la_poste": "https://www.laposte.fr/outils/suivre-vos-envois?code={number}",
    "deutsche_post": "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={number}",
    "postnord": "https://tracking.postnord.com/?id={number}",
    "canada_post": "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={number}",
    "australia_post": "https://auspost.com.au/mypost/track/#/details/{number}",
    "japan_post": "https://trackings.post.japanpost.jp/services/srv/search/direct?locale=en&reqCodeNo1={number}",
    "sf": "https://www.sf-express.com/chn/en/waybill/waybill-detail/{number}",
    "yto": "https://www.kuaidi100.com/chaxun?com=yuantong&nu={number}",
    "zto": "https://www.kuaidi100.com/chaxun?com=zhongtong&nu={number}",
    "yunda": "https://www.kuaidi100.com/chaxun?com=yunda&nu={number}",
    "sto": "https://www.kuaidi100.com/chaxun?com=shentong&nu={number}",
    "jt": "https://www.kuaidi100.com/chaxun?com=jtexpress&nu={number}",
    "jd": "https://www.kuaidi100.com/chaxun?com=jd&nu={number}",
    "china_post": "https://www.kuaidi100.com/chaxun?com=youzhengguonei&nu={number}",
    "ems": "https://www.kuaidi100.com/chaxun?com=ems&nu={number}",
}

_NAMES: Final[Mapping[str, str]] = {
    "dhl_paket": r"\bdhl (paket|de|germany|deutschland|parcel de)\b",
    "dhl": r"\bdhl\b",
    "ups": r"\bups\b|united parcel service",
    "fedex": r"\bfedex\b|federal express",
    "usps": r"\busps\b|united states postal|\bus postal service\b",
    "postnl": r"\bpost ?nl\b",
    "dpd_uk": r"\bdpd (uk|local)\b",
    "dpd": r"\bdpd\b",
    "gls": r"\bgls\b",
    "royal_mail": r"\broyal ?mail\b",
    "evri": r"\bevri\b|\bhermes uk\b",
    "chronopost": r"\bchronopost\b",
    "la_poste": r"\bla ?poste\b|\bcolissimo\b",
    "deutsche_post": r"\bdeutsche ?post\b",
    "postnord": r"\bpost ?nord\b",
    "canada_post": r"\bcanada post\b|\bpostes canada\b",
    "australia_post": r"\baustralia post\b|\bauspost\b",
    "japan_post": r"\bjapan post\b",
    "sf": r"\bsf\b|\bsf ?express\b|shunfeng|顺丰|順豐",
    "yto": r"\byto\b|yuantong|圆通|圓通",
    "zto": r"\bzto\b|zhongtong|中通",
    "yunda": r"\byunda\b|韵达|韻達",
    "sto": r"\bsto( express)?$|shentong|申通",
    "jt": r"\bj t\b|\bjt ?express\b|极兔",
    "jd": r"\bjd\b|\bjingdong\b|京东",
    "ems": r"\bems\b|邮政速递",
    "china_post": r"\bchina post\b|邮政|邮局",
}
"""By words of the carrier's name, lower case and without punctuation; the first that fits."""

_SHAPES: Final[Mapping[str, str]] = {
    r"1Z[0-9A-Z]{16}": "ups",
    r"J[JV][A-Z]{1,2}\d{16,20}": "dhl",
    r"9[2-5]\d{20}": "usps",
    r"3S[0-9A-Z]{11,15}": "postnl",
    r"SF\d{12,13}": "sf",
    r"YT\d{13}": "yto",
    r"JT\d{13}": "jt",
}
"""Shapes that no other carrier of the list uses, for parcels whose carrier is not named."""

_POSTS: Final[Mapping[str, str]] = {
    "AU": "australia_post",
    "CA": "canada_post",
    "CN": "ems",
    "DE": "deutsche_post",
    "FR": "la_poste",
    "GB": "royal_mail",
    "JP": "japan_post",
    "NL": "postnl",
    "US": "usps",
}
"""By the country at the end of an international postal number (UPU standard S10)."""
