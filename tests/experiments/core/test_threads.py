"""One thread for linear algebra, several for independent parts."""

import numpy as np
import torch

from experiments.core.threads import in_parallel, one_thread


def test_the_number_of_torch_threads_is_put_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_parts_come_back_in_order():
    assert in_parallel(lambda k: int(np.square(k)), [3, 1, 2]) == [9, 1, 4]
    assert in_parallel(str, []) == []
