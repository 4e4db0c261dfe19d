// An intrusive list: nodes link themselves, allocate nothing, and leave the list
// when they are destroyed. One thread; a node is in one list at a time.
#pragma once

namespace lockgate {

class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!linked()) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class T>
  friend class List;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

// NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete,clang-analyzer-core.CallAndMessage): the analyzer loses
// sight of a node's neighbours and takes one that was popped and deleted for one that is still in the list.

/// A list of T, where T derives from ListNode. Destroying the list unlinks its
/// nodes and owns none of them.
template <class T>
class List {
 public:
  List() { head_.next_ = head_.previous_ = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() {
    while (!empty()) head_.next_->unlink();
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T* front() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  void push_back(T& item) {
    ListNode& node = item;
    node.unlink();
    node.previous_ = head_.previous_;
    node.next_ = &head_;
    head_.previous_->next_ = &node;
    head_.previous_ = &node;
  }
  void push_front(T& item) {
    ListNode& node = item;
    node.unlink();
    node.next_ = head_.next_;
    node.previous_ = &head_;
    head_.next_->previous_ = &node;
    head_.next_ = &node;
  }
  T* pop_front() {
    T* first = front();
    if (first) static_cast<ListNode*>(first)->unlink();
    return first;
  }
  /// Moves all nodes of `other` behind those of this list.
  void take_all(List& other) {
    if (other.empty()) return;
    ListNode *first = other.head_.next_, *last = other.head_.previous_;
    other.head_.next_ = other.head_.previous_ = &other.head_;
    first->previous_ = head_.previous_;
    head_.previous_->next_ = first;
    last->next_ = &head_;
    head_.previous_ = last;
  }
  /// The node behind `item`, or nullptr at the end.
  T* after(T& item) {
    ListNode* next = static_cast<ListNode&>(item).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }

 private:
  ListNode head_;
};

// NOLINTEND(clang-analyzer-cplusplus.NewDelete,clang-analyzer-core.CallAndMessage)

}  // namespace lockgate
