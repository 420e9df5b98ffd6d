// Runs a program of the guide, named by its chapter and line. Without a name, lists the programs.

#include <cstdio>
#include <string_view>

#include "docs/snippet.h"

int main(int argc, char** argv) {
  for (const squall::testing::Snippet* snippet : squall::testing::Snippet::all()) {
    if (argc < 2)
      std::puts(snippet->name);
    else if (snippet->name == std::string_view(argv[1]))
      return snippet->main(argc - 1, argv + 1);
  }
  return argc < 2 ? 0 : 2;
}
