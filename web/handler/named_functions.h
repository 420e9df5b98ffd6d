#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace squall::web {

// Functions by name: a setting. A program that gives none links no code for them.
//
// Copies share their functions until one of them is changed.
//
// Thread:    one, as long as an object or a copy of it is changed.
template <class Function>
class NamedFunctions {
 public:
  using Map = std::map<std::string, Function, std::less<>>;

  NamedFunctions() = default;
  NamedFunctions(std::initializer_list<typename Map::value_type> functions)
      : map_(std::make_shared<Map>(functions)) {}

  // The function of this name, to assign one. Assign at once: a later copy of this object shares the
  // function.
  Function& operator[](std::string_view name) {
    if (!map_) map_ = std::make_shared<Map>();
    if (map_.use_count() > 1) map_ = std::make_shared<Map>(*map_);
    return (*map_)[std::string(name)];
  }
  const Map& functions() const {
    static const Map none;
    return map_ ? *map_ : none;
  }

 private:
  std::shared_ptr<Map> map_;
};

}  // namespace squall::web
