#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace squall {

// A move-only `void()`. Closures of up to kInline bytes live inside it and cost no allocation.
class Callback {
 public:
  static constexpr std::size_t kInline = 56;  // with the pointer below: one cache line

  Callback() noexcept = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> && std::is_invocable_v<std::decay_t<F>&>)
  Callback(F&& function) {  // NOLINT(google-explicit-constructor): any callable is a callback
    using Closure = std::decay_t<F>;
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

  // Calls the closure, which must be there; it may be called again.
  void operator()() { operations_->invoke(storage_); }
  explicit operator bool() const noexcept { return operations_ != nullptr; }
  // The closure's type, which tells where it was written. There must be one.
  const std::type_info& type() const noexcept { return *operations_->type; }

  // Destroys the closure and what it captured.
  void reset() noexcept {
    if (const Operations* old = std::exchange(operations_, nullptr)) old->destroy(storage_);
  }

 private:
  struct Operations {
    void (*invoke)(void* storage);
    void (*relocate)(void* from, void* to) noexcept;
    void (*destroy)(void* storage) noexcept;
    const std::type_info* type;
  };

  template <class Closure>
  static constexpr bool fits() {
    return sizeof(Closure) <= kInline && alignof(Closure) <= alignof(void*) &&
           std::is_nothrow_move_constructible_v<Closure>;
  }

  template <class Closure>
  static constexpr Operations kInlineOperations = {
      [](void* storage) { (*std::launder(static_cast<Closure*>(storage)))(); },
      [](void* from, void* to) noexcept {
        Closure* closure = std::launder(static_cast<Closure*>(from));
        ::new (to) Closure(std::move(*closure));
        closure->~Closure();
      },
      [](void* storage) noexcept { std::launder(static_cast<Closure*>(storage))->~Closure(); },
      &typeid(Closure),
  };
  template <class Closure>
  static constexpr Operations kHeapOperations = {
      [](void* storage) { (**static_cast<Closure**>(storage))(); },
      [](void* from, void* to) noexcept { ::new (to) Closure*(*static_cast<Closure**>(from)); },
      [](void* storage) noexcept { delete *static_cast<Closure**>(storage); },
      &typeid(Closure),
  };

  void take(Callback& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_) operations_->relocate(other.storage_, storage_);
  }

  const Operations* operations_ = nullptr;
  alignas(void*) std::byte storage_[kInline];
};

}  // namespace squall
