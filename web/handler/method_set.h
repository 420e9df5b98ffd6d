#pragma once

#include <squall/http/message/method.h>

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

struct HandlerType;

// The methods that handler classes have verbs for.
class MethodSet {
 public:
  // All methods that have a verb by name.
  static MethodSet all();
  void add(http::Method method) { known_.set(static_cast<std::size_t>(method)); }
  void add(const HandlerType& type);
  // The value of an Allow header.
  std::string text() const;

 private:
  std::bitset<http::kMethodCount> known_;
  std::vector<std::string_view> extra_;
};

// The value of an Allow header for one class.
std::string allowed_methods(const HandlerType& type);

}  // namespace squall::web
