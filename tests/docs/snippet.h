#pragma once

#include <vector>

namespace squall::testing {

// A program of the guide that runs in a test; the other programs are only compiled and linked. snippets.py
// makes the sources that define these objects.
class Snippet {
 public:
  using Main = int (*)(int argc, char** argv);

  // `name` is the chapter and the line the program begins in.
  Snippet(const char* name, Main main) : name(name), main(main) { all().push_back(this); }
  Snippet(const Snippet&) = delete;
  Snippet& operator=(const Snippet&) = delete;

  static std::vector<const Snippet*>& all() {
    static std::vector<const Snippet*> snippets;
    return snippets;
  }

  const char* const name;
  const Main main;
};

}  // namespace squall::testing
