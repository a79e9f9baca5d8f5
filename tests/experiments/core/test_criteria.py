"""A criterion says in words what it decides in code, and knows how firm its verdict is."""

from pathlib import Path

import pytest

from experiments.core.criteria import (
    Above,
    AboveThat,
    AtLeastSo,
    Below,
    Criterion,
    Every,
    Evidence,
    Holds,
    Judged,
    NoneOf,
    Outside,
    Some,
    Verdict,
    Within,
    above,
    at_least,
    below,
    less_than,
    mixed_if,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact
from site_builder.discovery.registry import discover

EXPERIMENTS = Path(__file__).parents[3] / "experiments"


def interval(value, low, high):
    return Quantity(value, low, high, 20)


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.6, 0.7, "supported"), (0.3, 0.4, "refuted"), (0.4, 0.6, "inconclusive")]
)
def test_above_asks_the_whole_interval(low, high, verdict):
    assert above(0.5).verdict(Evidence(share=interval((low + high) / 2, low, high))) == verdict
    opposite = {"supported": "refuted", "refuted": "supported"}
    assert below(0.5).verdict(Evidence(share=interval((low + high) / 2, low, high))) == opposite.get(verdict, verdict)


def test_a_lower_level_for_refuting_leaves_a_mixed_zone():
    criterion = above(0.9, refuted_below=0.5)
    found = [criterion.verdict(Evidence(s=interval(v, v - 0.01, v + 0.01))) for v in (0.95, 0.7, 0.4)]
    assert found == ["supported", "mixed", "refuted"]
    assert criterion.sentence == (
        "Supported if the interval lies above 0.9; refuted if the interval lies below 0.5; mixed otherwise."
    )


def test_a_missing_interval_is_an_error_and_not_a_comparison_of_values():
    with pytest.raises(ValueError, match="has no interval"):
        above(0.5).verdict(Evidence(share=exact(0.9)))
    assert at_least(0.5).verdict(Evidence(share=exact(0.9))) == "supported"
    assert less_than(1.0, refuted_above=2.0).verdict(Evidence(x=exact(1.5))) == "mixed"


NAMED = Criterion(
    supported_if(where(error=Below(0.1), chance=Below(0.1))),
    refuted_if(where(error=Above(0.3))),
    mixed_if(Holds(name="some_model_hedges") | ~AboveThat("error", "chance", factor=2)),
    names={"error": "an upright latent's error"},
    note="Both are medians.",
)


def test_named_values_are_asked_each_for_its_own_condition():
    def decided(error, chance, hedges=False):
        return NAMED.verdict(Evidence(error=error, chance=chance, some_model_hedges=hedges))

    low, middle, high = (interval(v, v - 0.02, v + 0.02) for v in (0.05, 0.2, 0.5))
    assert decided(low, low) == "supported"
    assert decided(high, low) == "refuted"
    assert decided(middle, low) == "inconclusive"
    assert decided(middle, low, hedges=True) == "mixed"
    assert decided(middle, middle) == "mixed"


def test_the_sentence_names_every_clause_in_order():
    assert NAMED.sentence == (
        "Supported if the interval of an upright latent's error lies below 0.1 and the interval of chance lies below "
        "0.1; refuted if the interval of an upright latent's error lies above 0.3; mixed if some model hedges or it is "
        "not so that the interval of an upright latent's error lies above 2 times that of chance; inconclusive "
        "otherwise. Both are medians."
    )


def test_tuples_are_counted():
    inner = Within(0.4, 0.6)
    criterion = Criterion(
        supported_if(where(exponents=Every(each=inner, of="density"))),
        refuted_if(where(exponents=NoneOf(each=inner, of="density"))),
        otherwise=Verdict.MIXED,
    )
    good, bad = interval(0.5, 0.45, 0.55), interval(0.7, 0.65, 0.75)

    def decided(*many):
        return criterion.verdict(Evidence(first=many[0], exponents=many))

    assert [decided(good, good), decided(good, bad), decided(bad, bad)] == ["supported", "mixed", "refuted"]
    assert criterion.sentence.startswith(
        "Supported if the interval of exponents lies within 0.4 to 0.6 for every density; refuted"
    )
    criterion = Criterion(
        supported_if(where(exponents=AtLeastSo(0.5, each=Outside(0.4, 0.6)))), otherwise=Verdict.REFUTED
    )
    assert [decided(good, bad), decided(good, good, bad)] == ["supported", "refuted"]


def test_a_name_that_the_claim_does_not_give_is_named():
    with pytest.raises(ValueError, match="asks for 'error'"):
        NAMED.verdict(Evidence(chance=exact(1.0)))


def test_the_margin_counts_standard_errors_to_the_next_verdict():
    found = interval(0.7, 0.7 - 1.96 * 0.05, 0.7 + 1.96 * 0.05)
    assert above(0.5).margin(Evidence(share=found)) == pytest.approx(4.0, rel=0.01)
    assert above(0.65).margin(Evidence(share=found)) is None, "inconclusive"
    assert at_least(0.5).margin(Evidence(share=exact(0.7))) is None, "no sampling error"


def test_the_margin_is_that_of_the_weakest_value():
    firm, weak = interval(0.02, 0.01, 0.03), interval(0.08, 0.07, 0.09)
    margin = NAMED.margin(Evidence(error=firm, chance=weak, some_model_hedges=False))
    assert margin == pytest.approx(0.02 / (0.01 / 1.96), rel=0.01)


def test_values_of_one_kind_move_together_too():
    criterion = Criterion(supported_if(where(ratios=Some(each=Below(1.0)))), otherwise=Verdict.REFUTED)
    near, far = interval(0.9, 0.9 - 1.96 * 0.05, 0.9 + 1.96 * 0.05), interval(0.7, 0.7 - 1.96 * 0.1, 0.7 + 1.96 * 0.1)
    fixed = interval(0.5, 0.5, 0.5)
    assert criterion.margin(Evidence(least=far, ratios=(near, far))) == pytest.approx(3.0, rel=0.01)
    assert criterion.margin(Evidence(least=near, ratios=(near,))) == pytest.approx(2.0, rel=0.01)
    assert criterion.margin(Evidence(least=fixed, ratios=(near, fixed))) is None, "one cannot move"


def judged(measured):
    return Verdict.SUPPORTED if measured["x"].value > 0 else Verdict.REFUTED


def test_every_judged_criterion_gives_the_verdicts_of_its_examples():
    examples = ((Evidence(x=exact(1)), Verdict.SUPPORTED), (Evidence(x=exact(-1)), Verdict.REFUTED))
    mine = Judged("Supported if x is positive, refuted otherwise.", judged, examples)
    claims = [claim for _, claim in discover(EXPERIMENTS).claims.values()]
    for criterion in [mine, *(claim.criterion for claim in claims if isinstance(claim.criterion, Judged))]:
        for evidence, verdict in criterion.examples:
            assert criterion.verdict(evidence) is verdict, criterion.sentence
        named = {verdict for verdict in Verdict if verdict.value in criterion.sentence.lower()}
        assert {verdict for _, verdict in criterion.examples} == named, criterion.sentence


def test_evidence_begins_with_the_statistic():
    with pytest.raises(ValueError, match="the first value of the evidence"):
        Evidence(holds=True)
