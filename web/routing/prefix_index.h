#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The positions of routes whose patterns begin with literal text, found by the beginning of a path: a radix
// tree of bytes.
//
// A lookup takes time in proportion to the path's length, and does not depend on the number of routes.
class PrefixIndex {
 public:
  using Positions = std::span<const std::uint32_t>;

  // `position` is greater than those that were added before.
  void add(std::string_view prefix, std::uint32_t position);

  // Calls visit(Positions) for each text that was added and that `path` begins with, the shortest first. The
  // positions ascend.
  template <class Visit>
  void find(std::string_view path, Visit visit) const {
    const Node* node = &nodes_.front();
    for (;;) {
      if (!node->positions.empty()) visit(Positions(node->positions));
      if (path.empty()) return;
      const std::size_t child = node->child_at(path.front());
      if (child == std::string::npos) return;
      node = &nodes_[node->children[child]];
      if (!path.starts_with(node->text)) return;
      path.remove_prefix(node->text.size());
    }
  }

 private:
  struct Node {
    std::string text;                     // behind the text of the parent; not empty but for the root
    std::string first_bytes;              // of the children's texts, in the order of `children`
    std::vector<std::uint32_t> children;  // in nodes_
    std::vector<std::uint32_t> positions;

    // The index of the child whose text begins with this byte; npos without one. Of few children a loop finds
    // it in fewer instructions than memchr().
    std::size_t child_at(char byte) const noexcept {
      if (first_bytes.size() > 8) return first_bytes.find(byte);
      for (std::size_t i = 0; i < first_bytes.size(); ++i)
        if (first_bytes[i] == byte) return i;
      return std::string::npos;
    }
  };

  std::uint32_t add_node(std::string_view text);
  void split(std::uint32_t node, std::size_t size);

  std::vector<Node> nodes_{1};
};

}  // namespace squall::web
