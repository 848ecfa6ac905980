"""The soak's criterion: `python3 -m unittest discover --start-directory Tests/soak`."""

import unittest

from judge import judge


class Judging(unittest.TestCase):
    def is_flat(self, sizes):
        return judge([(10 * index, size) for index, size in enumerate(sizes)])[0]

    def test_flat_memory_passes(self):
        self.assertTrue(self.is_flat([100e6 + index % 3 * 1e6 for index in range(180)]))

    def test_warm_up_does_not_count(self):
        self.assertTrue(self.is_flat([20e6 + index * 5e6 for index in range(30)] + [180e6] * 150))

    def test_a_leak_fails(self):
        self.assertFalse(self.is_flat([100e6 + index * 0.2e6 for index in range(180)]))

    def test_a_small_process_may_breathe(self):
        self.assertTrue(self.is_flat([20e6 + index * 0.03e6 for index in range(180)]))


if __name__ == "__main__":
    unittest.main()
