#pragma once

#include <stdexcept>
#include <string>

namespace squall::options {

// A wrong option. what() is one line, which names the option and its source:
//
//     --port: 'http' is not an integer
//     /etc/shop.conf:3: port: 'http' is not an integer
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
};

}  // namespace squall::options
