#pragma once

#include <cassert>
#include <cstddef>
#include <iterator>
#include <utility>

namespace squall {

template <class T, class Tag>
class IntrusiveList;

// The links of an object in an IntrusiveList: a base class of the object. The object unlinks itself when it
// is destroyed. An object in several lists derives from one ListNode for each list, each with its own tag.
//
//     class Connection : public ListNode<> { ... };
//     IntrusiveList<Connection> active;
//     active.push_back(connection);
//     connection.unlink();
//
// Result:    unlink() takes constant time and needs no list. Nothing here allocates or throws.
// Thread:    one, the same for a list and all its nodes.
// Lifetime:  a node borrows its neighbours: neither an object in a list nor the list may move in memory.
template <class Tag = void>
class ListNode {
 public:
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  // In a list.
  bool linked() const noexcept { return next_ != nullptr; }
  // Does nothing if the node is in no list.
  void unlink() noexcept {
    if (!next_) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }
  // Takes the place of `other` in its list, if it is in one, and unlinks `other`: for objects that are moved.
  void take_place_of(ListNode& other) noexcept {
    assert(!linked());
    if (!other.linked()) return;
    previous_ = std::exchange(other.previous_, nullptr);
    next_ = std::exchange(other.next_, nullptr);
    previous_->next_ = next_->previous_ = this;
  }

 protected:
  ListNode() noexcept = default;
  ~ListNode() { unlink(); }

 private:
  template <class T, class OtherTag>
  friend class IntrusiveList;

  ListNode* previous_ = nullptr;
  ListNode* next_ = nullptr;
};

// A doubly linked list of objects that derive from ListNode<Tag>. The list does not own them.
//
// The size is two pointers; so is the size of a node's links. Every function takes constant time, except
// for_each() and the destructor.
//
// Lifetime:  the destructor unlinks the nodes that are left. An object may be destroyed at any time, which
//            unlinks it. In a loop that destroys objects use for_each().
template <class T, class Tag = void>
class IntrusiveList {
  using Node = ListNode<Tag>;

  template <class Value>
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;

    Iterator() noexcept = default;
    reference operator*() const noexcept { return static_cast<reference>(*node_); }
    pointer operator->() const noexcept { return &**this; }
    Iterator& operator++() noexcept { return node_ = IntrusiveList::next_of(node_), *this; }
    Iterator& operator--() noexcept { return node_ = IntrusiveList::previous_of(node_), *this; }
    Iterator operator++(int) noexcept { return std::exchange(*this, Iterator(next_of(node_))); }
    Iterator operator--(int) noexcept { return std::exchange(*this, Iterator(previous_of(node_))); }
    bool operator==(const Iterator&) const noexcept = default;

   private:
    friend class IntrusiveList;
    explicit Iterator(Node* node) noexcept : node_(node) {}
    Node* node_ = nullptr;
  };

 public:
  using iterator = Iterator<T>;
  using const_iterator = Iterator<const T>;

  IntrusiveList() noexcept { ends_.previous_ = ends_.next_ = &ends_; }
  ~IntrusiveList() { clear(); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return ends_.next_ == &ends_; }
  // Undefined if the list is empty.
  T& front() const noexcept { return static_cast<T&>(*ends_.next_); }
  T& back() const noexcept { return static_cast<T&>(*ends_.previous_); }

  // The node must be in no list.
  void push_back(T& node) noexcept { insert_before(ends_, node); }
  void push_front(T& node) noexcept { insert_before(*ends_.next_, node); }
  void insert_before(iterator position, T& node) noexcept { insert_before(*position.node_, node); }
  // Undefined if the list is empty.
  T& pop_front() noexcept { return unlinked(front()); }
  T& pop_back() noexcept { return unlinked(back()); }
  // Moves a node, which may be in this list, in another list, or in none.
  void move_to_back(T& node) noexcept {
    static_cast<Node&>(node).unlink();
    push_back(node);
  }
  // Unlinks every node.
  void clear() noexcept {
    while (!empty()) ends_.next_->unlink();
  }

  // Moves all nodes of `other` before the first or behind the last node of this list, in their order.
  void splice_front(IntrusiveList& other) noexcept { splice_before(*ends_.next_, other); }
  void splice_back(IntrusiveList& other) noexcept { splice_before(ends_, other); }

  // For loops that unlink only the node that they have just left.
  iterator begin() noexcept { return iterator(ends_.next_); }
  iterator end() noexcept { return iterator(&ends_); }
  const_iterator begin() const noexcept { return const_iterator(ends_.next_); }
  const_iterator end() const noexcept { return const_iterator(const_cast<Ends*>(&ends_)); }
  // The iterator that refers to `node`, which is in this list.
  static iterator iterator_to(T& node) noexcept { return iterator(&node); }

  // Calls `visit` with every object that is in the list now, in order. `visit` may unlink, destroy and add
  // any object; objects it adds are not visited. During the call the list holds only added objects.
  template <class Visit>
  void for_each(Visit&& visit) {
    Visiting visiting(*this);
    while (!visiting.to_visit.empty()) {
      T& node = visiting.to_visit.pop_front();
      visiting.visited.push_back(node);
      visit(node);
    }
  }

 private:
  // Puts the nodes back, also when a visit throws.
  struct Visiting {
    explicit Visiting(IntrusiveList& visited_list) noexcept : list(visited_list) {
      to_visit.splice_back(list);
    }
    ~Visiting() {
      list.splice_front(to_visit);
      list.splice_front(visited);
    }
    IntrusiveList& list;
    IntrusiveList visited;
    IntrusiveList to_visit;
  };

  static Node* next_of(Node* node) noexcept { return node->next_; }
  static Node* previous_of(Node* node) noexcept { return node->previous_; }

  static T& unlinked(T& node) noexcept {
    static_cast<Node&>(node).unlink();
    return node;
  }
  static void insert_before(Node& position, Node& node) noexcept {
    assert(!node.linked() && "this object is in a list already");
    node.previous_ = position.previous_;
    node.next_ = &position;
    position.previous_->next_ = &node;
    position.previous_ = &node;
  }
  static void splice_before(Node& position, IntrusiveList& other) noexcept {
    if (other.empty()) return;
    Node& first = *other.ends_.next_;
    Node& last = *other.ends_.previous_;
    other.ends_.previous_ = other.ends_.next_ = &other.ends_;
    first.previous_ = position.previous_;
    last.next_ = &position;
    position.previous_->next_ = &first;
    position.previous_ = &last;
  }

  // The list's own node, not an object: its next node is the first of the list, its previous node the last.
  struct Ends : Node {
  } ends_;
};

}  // namespace squall
