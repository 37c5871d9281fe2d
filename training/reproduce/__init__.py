"""The experiments of the two reports (CS230 and CS236, Stanford 2019), repeated."""
