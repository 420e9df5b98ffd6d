#include <squall/web/routing/prefix_index.h>

#include <algorithm>
#include <utility>

namespace squall::web {

std::uint32_t PrefixIndex::add_node(std::string_view text) {
  nodes_.emplace_back().text = text;
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

// Moves all but the first `size` bytes of the node's text, and all that the node has, to a new child.
void PrefixIndex::split(std::uint32_t node, std::size_t size) {
  const std::uint32_t rest = add_node(std::string_view());
  Node& upper = nodes_[node];
  Node& lower = nodes_[rest];
  lower = std::exchange(upper, Node());
  upper.text = lower.text.substr(0, size);
  lower.text.erase(0, size);
  upper.first_bytes = lower.text.front();
  upper.children = {rest};
}

void PrefixIndex::add(std::string_view prefix, std::uint32_t position) {
  std::uint32_t node = 0;
  while (!prefix.empty()) {
    const std::size_t child = nodes_[node].child_at(prefix.front());
    if (child == std::string::npos) {
      const std::uint32_t leaf = add_node(prefix);
      nodes_[node].first_bytes += prefix.front();
      nodes_[node].children.push_back(leaf);
      node = leaf;
      break;
    }
    node = nodes_[node].children[child];
    const std::string& text = nodes_[node].text;
    const auto common = static_cast<std::size_t>(
        std::mismatch(text.begin(), text.end(), prefix.begin(), prefix.end()).first - text.begin());
    if (common < text.size()) split(node, common);
    prefix.remove_prefix(common);
  }
  nodes_[node].positions.push_back(position);
}

}  // namespace squall::web
