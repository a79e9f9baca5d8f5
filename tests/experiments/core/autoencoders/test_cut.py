"""Autoencoders that are trained in pieces are, bit for bit, those that are trained at once."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest

from experiments.core import pieces
from experiments.core.autoencoders import Specification, State, train_autoencoders
from experiments.core.autoencoders.cut import multiply_adds


@pytest.fixture
def given(monkeypatch):
    """Help with pieces of any length; holds the models of each piece that was done."""
    monkeypatch.setattr(pieces, "SHORTEST", 1e-9)
    done = []

    def helper(offered: Sequence[pieces.Piece]) -> list[Any]:
        done.extend(piece.given[1].models for piece in offered)
        return [pieces.do(piece) for piece in reversed(offered)][::-1]

    with pieces.helped(helper):
        yield done


def compare(cut: State, once: State) -> None:
    for each in fields(State):
        one, other = getattr(cut, each.name), getattr(once, each.name)
        if each.name in ("step", "latents", "hidden"):
            assert one == other
        else:
            assert (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides), each.name
            assert one.tobytes() == other.tobytes(), each.name


@pytest.mark.parametrize("most", [25, 6])
def test_what_is_trained_in_pieces_is_what_is_trained_at_once(sources, models, given, monkeypatch, most):
    specification = Specification(models, steps=120, batch=64, aux=True, resample=20, dead_after=300, seed=4)
    with pieces.helped(None):
        once = train_autoencoders(sources, specification)
    if most < len(models):
        seconds = sum(_costs(specification, once)) / pieces.MULTIPLY_ADDS_PER_SECOND
        monkeypatch.setattr(pieces, "SHORTEST", seconds / (most + 0.5))
    cut = train_autoencoders(sources, specification)
    assert 1 < len(given) <= most
    assert sorted(map(repr, (model for piece in given for model in piece))) == sorted(map(repr, models))
    compare(cut.state, once.state)
    assert (cut.models, cut.backend, cut.device) == (once.models, once.backend, once.device)


def _costs(specification, trained):
    return multiply_adds(specification, replace(trained.state, step=0), specification.steps)


def test_training_in_pieces_goes_on_from_a_state_and_stops_early(sources, models, given):
    specification = Specification(models, steps=90, batch=64, aux=True, resample=30, dead_after=300)
    with pieces.helped(None):
        whole = train_autoencoders(sources, specification)
    half = train_autoencoders(sources, specification, until=40)
    assert half.state.step == 40
    compare(train_autoencoders(sources, specification, state=half.state).state, whole.state)
    assert len(given) > len(models)  # in both halves


def test_a_piece_sees_its_own_sources_alone_under_their_numbers(sources, models, given):
    offered = []

    def helper(them):
        offered.extend(them)
        return [pieces.do(piece) for piece in them]

    specification = Specification(models, steps=10, batch=64)
    with pieces.helped(helper):
        train_autoencoders(sources, specification)
    for piece in offered:
        listed, own = piece.given[0], piece.given[1]
        assert {id(each) for each in listed} == {id(sources[model.source]) for model in own.models}


def test_the_reference_is_given_the_whole(sources, models, given):
    train_autoencoders(sources, Specification(models[:3], steps=3, batch=16), backend="reference")
    assert given == []
