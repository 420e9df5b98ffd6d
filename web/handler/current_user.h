#pragma once

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/web/template/template_value.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace squall::web {

// The user of a request, of any type (WEB-120): unknown at first, then a value or nobody.
//
// Lifetime:  a part of a RequestHandler.
class CurrentUser {
 public:
  enum class State : std::uint8_t { unknown, asking, known };
  State state() const noexcept { return state_; }
  // Set to `asking` while get_current_user() runs.
  void set_state(State state) noexcept { state_ = state; }

  bool exists() const noexcept { return value_ != nullptr; }
  // Null for nobody, and true for a user of a type that is no value of templates: neither text nor a number,
  // and without to_template_value().
  TemplateValue template_value() const { return value_ ? value_->template_value() : TemplateValue(); }
  template <class T>
  void set(std::optional<T> user) {
    value_ = user ? std::make_unique<Holder<T>>(std::move(*user)) : nullptr;
    state_ = State::known;
  }
  // Null for nobody. Throws std::logic_error if the user is of another type.
  template <class T>
  T* get() {
    if (!value_) return nullptr;
    auto* const holder = dynamic_cast<Holder<T>*>(value_.get());
    if (!holder) throw_logic_error("current_user<T>() must name the type that get_current_user() returns");
    return &holder->user;
  }

 private:
  struct Value : Pooled {
    Value() = default;
    Value(const Value&) = delete;
    Value& operator=(const Value&) = delete;
    virtual ~Value() = default;
    virtual TemplateValue template_value() const = 0;
  };
  template <class T>
  struct Holder final : Value {
    explicit Holder(T value) : user(std::move(value)) {}
    TemplateValue template_value() const override {
      if constexpr (std::is_arithmetic_v<T> || detail::TextLike<T> || detail::HasTemplateHook<T> ||
                    std::same_as<T, TemplateValue>) {
        return TemplateValue(user);
      } else {
        return true;
      }
    }
    T user;
  };

  std::unique_ptr<Value> value_;
  State state_ = State::unknown;
};

}  // namespace squall::web
