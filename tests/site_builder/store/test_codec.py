"""What is written is read back equal, equal values give equal bytes, and what does not fit is refused by name."""

import enum
import io
import json
import math
import zipfile
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.core.contract import undefined
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.store import codec


class Colour(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    x: int
    y: tuple[float, ...] = ()


@dataclass(frozen=True)
class Everything:
    array: NDArray[np.float32]
    quantity: Quantity
    named: dict[str, Quantity]
    inner: Inner
    inners: tuple[Inner, ...]
    pair: tuple[int, str]
    items: list[bool]
    arrays: dict[str, NDArray[np.int64]]
    maybe: float | None
    either: int | str
    choice: Literal["a", "b"]
    colour: Colour
    anything: dict[str, Any]
    gaps: NDArray[np.float64] = undefined("no angle")
    gap: float = undefined("no angle")


def everything(**changes: Any) -> Everything:
    values: dict[str, Any] = {
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "quantity": Quantity(0.1, 0.05, 0.2, 64, "nats", "bootstrap"),
        "named": {"p=0.1, n≥2": Quantity(-1.0)},
        "inner": Inner(1, (0.5, 2.0)),
        "inners": (Inner(2), Inner(3, (1.0,))),
        "pair": (1, "ü"),
        "items": [True, False],
        "arrays": {"a": np.array([1, 2])},
        "maybe": None,
        "either": "text",
        "choice": "b",
        "colour": Colour.RED,
        "anything": {"a": [1, 2.5, None, {"b": "c"}]},
        "gaps": np.array([1.0, math.nan]),
        "gap": math.nan,
    }
    return Everything(**values | changes)


def stored(value: Any, kind: Any, where: str = "Result") -> tuple[str, bytes]:
    arrays: codec.Arrays = {}
    text = codec.to_json(codec.encode(value, kind, where, arrays))
    return text, codec.npz_bytes(arrays)


def back(text: str, archive: bytes, kind: Any) -> Any:
    with np.load(io.BytesIO(archive), allow_pickle=False) as loaded:
        return codec.decode(json.loads(text), kind, {name: loaded[name] for name in loaded.files})


def test_everything_a_result_may_hold_is_read_back_equal():
    value = everything()
    again = back(*stored(value, Everything), Everything)
    for name in value.__dataclass_fields__:
        np.testing.assert_equal(getattr(again, name), getattr(value, name), err_msg=name)
    assert again.array.dtype == np.float32
    assert isinstance(again.colour, Colour)
    assert isinstance(again.pair, tuple)


def test_equal_results_give_equal_bytes_whatever_the_layout_in_memory():
    turned = everything(array=np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)))
    assert stored(turned, Everything) == stored(everything(), Everything)
    assert stored(everything(gap=1.0), Everything) != stored(everything(), Everything)


def test_an_archive_has_the_plainest_headers_which_every_version_of_python_writes_alike():
    with zipfile.ZipFile(io.BytesIO(codec.npz_bytes({"a": np.zeros(3), "b": np.ones(2)}))) as archive:
        assert {(each.extract_version, each.extra, each.flag_bits) for each in archive.infolist()} == {(20, b"", 0)}


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.float16, np.float64, np.complex64, "U3", ">i4"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (2, 3, 4)])
def test_any_array_is_read_back_bit_for_bit(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    with np.load(io.BytesIO(codec.npz_bytes({"a": array})), allow_pickle=False) as loaded:
        assert loaded["a"].tobytes() == array.tobytes()
        assert (loaded["a"].dtype, loaded["a"].shape) == (array.dtype, array.shape)


@pytest.mark.parametrize("number", [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 2**53 + 2.0])
def test_a_number_survives_as_json_to_the_last_bit(number):
    again = back(*stored(Inner(1, (number,)), Inner), Inner).y[0]
    assert again.hex() == number.hex()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"array": [1.0]}, "Result.array should be a numpy array and is list"),
        ({"array": np.array([1.0, np.nan, np.inf])}, "Result.array holds NaN or infinity in 2 of 3 entries"),
        ({"array": np.array([object()])}, "Result.array is an array of object"),
        ({"quantity": 0.5}, "Result.quantity should be a Quantity and is float"),
        ({"quantity": Quantity(math.nan)}, "Result.quantity.value is nan"),
        ({"quantity": Quantity(1.0, low=-math.inf)}, "Result.quantity.low is -inf"),
        ({"named": {"a": 1.0}}, "Result.named.a should be a Quantity and is float"),
        ({"inner": Inner("1")}, "Result.inner.x should be a int and is str"),
        ({"inner": Inner(True)}, "Result.inner.x should be a int and is bool"),
        ({"pair": (1, "a", 2)}, "Result.pair should be a tuple of 2 and is tuple"),
        ({"items": (True,)}, "Result.items should be a list and is tuple"),
        ({"choice": "c"}, "Result.choice should be one of ('a', 'b') and is str"),
        ({"maybe": "x"}, "Result.maybe should be a float and is str"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_name_of_its_field(changes, message):
    with pytest.raises(ReportError) as caught:
        stored(everything(**changes), Everything)
    assert message in str(caught.value)


def test_a_field_declared_as_something_that_cannot_be_stored_is_refused():
    @dataclass(frozen=True)
    class Odd:
        f: object = field(default_factory=object)

    with pytest.raises(ReportError, match="cannot be stored"):
        stored(Odd(), Odd)


def test_numbers_of_numpy_count_as_plain_ones():
    assert stored(Inner(np.int64(1), (np.float32(0.5),)), Inner) == stored(Inner(1, (0.5,)), Inner)


def test_arrays_read_back_cannot_be_changed(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(codec.npz_bytes({"a": np.zeros(2)}))
    with pytest.raises(ValueError, match="read-only"):
        codec.read_npz(path)["a"][0] = 1


def test_a_dictionary_is_read_back_in_its_own_order():
    written = {"scale": 1, "batch": 2, "data": 3}
    text = codec.to_json(codec.encode(written, dict[str, int], "shares", {}))
    assert list(codec.decode(json.loads(text), dict[str, int], {})) == ["scale", "batch", "data"]
