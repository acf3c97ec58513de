// The same tiny bundle as the tests of the program have.
#include "cli/tiny_bundle.cpp"  // NOLINT(bugprone-suspicious-include)
