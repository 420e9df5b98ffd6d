#pragma once

#include <squall/ioloop/base/refuse_coroutine.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace squall {

// A move-only `void()`. Closures of up to kInline bytes are stored inside and cost no allocation. A coroutine
// is refused, because nothing would run its task; other results are dropped.
//
// Thread:    one at a time.
class Callback {
 public:
  static constexpr std::size_t kInline = 56;  // with the pointer below: one cache line

  Callback() noexcept = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> && std::is_invocable_v<std::decay_t<F>&>)
  Callback(F&& function) {  // NOLINT(google-explicit-constructor): any callable is a callback
    using Closure = std::decay_t<F>;
    detail::refuse_coroutine<Closure&>();
    if constexpr (fits<Closure>()) {
      ::new (storage_) Closure(std::forward<F>(function));
      operations_ = &kInlineOperations<Closure>;
    } else {
      ::new (storage_) Closure*(new Closure(std::forward<F>(function)));
      operations_ = &kHeapOperations<Closure>;
    }
  }
  Callback(Callback&& other) noexcept { take(other); }
  Callback& operator=(Callback&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Callback() { reset(); }

  // Calls the closure; undefined if empty. It may be called again.
  void operator()() { operations_->invoke(storage_); }
  explicit operator bool() const noexcept { return operations_ != nullptr; }
  // The type of the closure, whose name contains the enclosing function. Undefined if empty.
  const std::type_info& type() const noexcept { return *operations_->type; }

  // Destroys the closure and its captures.
  void reset() noexcept {
    const Operations* old = std::exchange(operations_, nullptr);
    if (old && old->destroy) old->destroy(storage_);
  }

 private:
  struct Operations {
    void (*invoke)(void* storage);
    void (*relocate)(void* from, void* to) noexcept;  // null: its bytes are copied
    void (*destroy)(void* storage) noexcept;          // null: trivially destructible
    const std::type_info* type;
  };

  template <class Closure>
  static constexpr bool fits() {
    return sizeof(Closure) <= kInline && alignof(Closure) <= alignof(void*) &&
           std::is_nothrow_move_constructible_v<Closure>;
  }

  template <class Closure>
  static void relocate_inline(void* from, void* to) noexcept {
    Closure* closure = std::launder(static_cast<Closure*>(from));
    ::new (to) Closure(std::move(*closure));
    closure->~Closure();
  }
  template <class Closure>
  static void destroy_inline(void* storage) noexcept {
    std::launder(static_cast<Closure*>(storage))->~Closure();
  }

  template <class Closure>
  static constexpr Operations kInlineOperations = {
      [](void* storage) { (*std::launder(static_cast<Closure*>(storage)))(); },
      std::is_trivially_copyable_v<Closure> ? nullptr : &relocate_inline<Closure>,
      std::is_trivially_destructible_v<Closure> ? nullptr : &destroy_inline<Closure>,
      &typeid(Closure),
  };
  template <class Closure>
  static constexpr Operations kHeapOperations = {
      [](void* storage) { (**static_cast<Closure**>(storage))(); },
      nullptr,
      [](void* storage) noexcept { delete *static_cast<Closure**>(storage); },
      &typeid(Closure),
  };

  void take(Callback& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (!operations_) return;
    if (operations_->relocate) {
      operations_->relocate(other.storage_, storage_);
    } else {
      copy_bytes(other.storage_);
    }
  }

  // Copies all bytes, even if the closure is smaller: a copy of a fixed size is two or three instructions.
  // GCC warns about the bytes that are not initialized.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
  void copy_bytes(const std::byte* from) noexcept { std::memcpy(storage_, from, kInline); }
#pragma GCC diagnostic pop

  const Operations* operations_ = nullptr;
  alignas(void*) std::byte storage_[kInline];
};

}  // namespace squall
