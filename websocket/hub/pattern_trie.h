#pragma once

#include <squall/websocket/hub/topic.h>
#include <squall/websocket/hub/topic_tokens.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace squall::websocket {

// Values by pattern, and the values of all patterns that match a topic.
//
// Patterns without a wildcard are in one hash table: a match looks the topic up once. The others are in a
// tree of tokens. A match visits the nodes whose tokens match the beginning of the topic: its cost depends on
// the number of patterns that match, wholly or at the beginning, and not on the number of patterns.
//
// Thread:    one at a time; const functions concurrently.
// Lifetime:  a value stays at its address until it is erased. visit() must not add or erase.
// Errors:    std::bad_alloc; then nothing is changed.
template <class Value>
class PatternTrie {
 public:
  // Patterns must be valid.
  Value* find(std::string_view pattern) noexcept {
    if (!has_wildcard(pattern)) {
      const auto at = topics_.find(pattern);
      return at == topics_.end() ? nullptr : at->second.get();
    }
    Node* node = &root_;
    for (TopicTokens tokens(pattern); !tokens.at_end();) {
      const std::string_view token = tokens.next();
      if (token == ">") return node->rest.get();
      node = node->child(token);
      if (!node) return nullptr;
    }
    return node->value.get();
  }

  // The value of the pattern. Makes it for a new pattern.
  Value& add(std::string_view pattern) {
    if (Value* const value = find(pattern)) return *value;
    auto made = std::make_unique<Value>();
    Value& value = *made;
    if (!has_wildcard(pattern)) {
      topics_.emplace(std::string(pattern), std::move(made));
    } else {
      add_wildcard(pattern, std::move(made));
    }
    ++size_;
    return value;
  }

  // False if there is no such pattern.
  bool erase(std::string_view pattern) noexcept {
    if (!find(pattern)) return false;
    if (!has_wildcard(pattern)) {
      topics_.erase(topics_.find(pattern));
    } else {
      erase_below(root_, TopicTokens(pattern));
    }
    --size_;
    return true;
  }

  // Calls `visit` with the value of every pattern that matches `topic`, a valid topic.
  template <class Visit>
  void match(std::string_view topic, Visit&& visit) const {
    if (!topics_.empty()) {
      const auto at = topics_.find(topic);
      if (at != topics_.end()) visit(*at->second);
    }
    if (!root_.is_empty()) match_below(root_, TopicTokens(topic), visit);
  }

  // Calls `visit` with every value.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [topic, value] : topics_) visit(*value);
    for_each_below(root_, visit);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  template <class T>
  using Table = std::unordered_map<std::string, std::unique_ptr<T>, Hash, std::equal_to<>>;

  struct Node {
    Node* child(std::string_view token) const noexcept {
      if (token == "*") return star.get();
      if (children.empty()) return nullptr;
      const auto at = children.find(token);
      return at == children.end() ? nullptr : at->second.get();
    }
    bool is_empty() const noexcept { return !value && !rest && !star && children.empty(); }

    std::unique_ptr<Value> value;  // of the pattern that ends here
    std::unique_ptr<Value> rest;   // of the pattern that ends in `>` here
    std::unique_ptr<Node> star;
    Table<Node> children;
  };

  void add_wildcard(std::string_view pattern, std::unique_ptr<Value> value) {
    try {
      Node* node = &root_;
      for (TopicTokens tokens(pattern); !tokens.at_end();) {
        const std::string_view token = tokens.next();
        if (token == ">") {
          node->rest = std::move(value);
          return;
        }
        node = &make_child(*node, token);
      }
      node->value = std::move(value);
    } catch (...) {
      erase_below(root_, TopicTokens(pattern));  // the nodes without a value
      throw;
    }
  }

  static Node& make_child(Node& node, std::string_view token) {
    if (Node* const child = node.child(token)) return *child;
    auto made = std::make_unique<Node>();
    Node& child = *made;
    if (token == "*") {
      node.star = std::move(made);
    } else {
      node.children.emplace(std::string(token), std::move(made));
    }
    return child;
  }

  // Erases the value of the pattern, and the nodes that are empty then.
  static void erase_below(Node& node, TopicTokens tokens) noexcept {
    if (tokens.at_end()) {
      node.value.reset();
      return;
    }
    const std::string_view token = tokens.next();
    if (token == ">") {
      node.rest.reset();
      return;
    }
    Node* const child = node.child(token);
    if (!child) return;
    erase_below(*child, tokens);
    if (!child->is_empty()) return;
    if (token == "*") {
      node.star.reset();
    } else {
      node.children.erase(node.children.find(token));
    }
  }

  // At most kMaxTopicTokens deep.
  template <class Visit>
  static void match_below(const Node& node, TopicTokens tokens, Visit& visit) {
    if (tokens.at_end()) {
      if (node.value) visit(*node.value);
      return;
    }
    if (node.rest) visit(*node.rest);
    const std::string_view token = tokens.next();
    if (node.star) match_below(*node.star, tokens, visit);
    if (const Node* const child = node.children.empty() ? nullptr : node.child(token))
      match_below(*child, tokens, visit);
  }

  template <class Visit>
  static void for_each_below(const Node& node, Visit& visit) {
    if (node.value) visit(*node.value);
    if (node.rest) visit(*node.rest);
    if (node.star) for_each_below(*node.star, visit);
    for (const auto& [token, child] : node.children) for_each_below(*child, visit);
  }

  Table<Value> topics_;
  Node root_;  // of the patterns with a wildcard
  std::size_t size_ = 0;
};

}  // namespace squall::websocket
