import pytest

from infra.demo.__main__ import acts_asked_for


def test_all_acts_are_played_in_their_order() -> None:
    assert acts_asked_for([]) == ("day", "backoffice", "finance")


def test_acts_may_be_chosen_each_once_and_in_their_own_order() -> None:
    assert acts_asked_for(["--act", "finance", "--act", "day", "--act", "finance"]) == ("day", "finance")


def test_an_act_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        acts_asked_for(["--act", "matinee"])
    assert "matinee" in capsys.readouterr().err
