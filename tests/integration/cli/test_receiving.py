"""`storebridge stock receive` on the local stack."""

from tests.integration.cli.conftest import CommandLine


def test_goods_are_booked_in_and_out_as_differences(storebridge: CommandLine) -> None:
    foreseen = storebridge.json("stock", "receive", "POT", "main", "7", "--reference", "delivery 4711", "--dry-run")
    assert foreseen["before"] is None
    assert storebridge.json("stock", "show", "POT")["unknown"] == ["POT"]
    booked = storebridge.json("stock", "receive", "POT", "main", "7", "--reference", "delivery 4711", "--by", "mia")
    assert {name: booked["after"][name] for name in foreseen["after"]} == foreseen["after"]
    assert booked["after"]["cause"] == {"kind": "receipt", "reference": "delivery 4711", "actor": "mia"}
    storebridge.json("stock", "receive", "POT", "main", "5")
    fewer = storebridge.json("stock", "receive", "POT", "main", "2", "--out", "--reference", "broken")
    assert (fewer["before"]["on_hand"], fewer["after"]["on_hand"]) == (12, 10)


def test_what_is_not_there_cannot_be_taken_away(storebridge: CommandLine) -> None:
    storebridge.json("stock", "receive", "PAN", "main", "1")
    for dry in ((), ("--dry-run",)):
        refusal = storebridge.refusal("stock", "receive", "PAN", "main", "2", "--out", *dry)
        assert (refusal["error"], refusal["field"]) == ("not_on_shelf", "units")
    assert storebridge.json("stock", "show", "PAN")["stock"][0]["on_hand"] == 1


def test_a_location_that_there_is_not_is_refused(storebridge: CommandLine) -> None:
    assert storebridge.refusal("stock", "receive", "PAN", "moon", "1")["field"] == "location"
