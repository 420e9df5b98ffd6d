#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace ticker {

// Invented prices that go up and down at random.
class Market {
 public:
  explicit Market(std::uint32_t seed = std::random_device()());

  // The next price of a symbol, and its number: the first one is 1.
  struct Quote {
    std::string_view symbol;  // of static lifetime
    std::uint64_t number = 0;
    double price = 0;
    double open = 0;  // the first price of the symbol

    std::string to_json() const;
  };
  Quote next();
  std::uint64_t quotes() const noexcept { return quotes_; }

 private:
  struct Stock {
    std::string_view symbol;
    double price;
    double open;
  };

  std::mt19937 random_;
  std::vector<Stock> stocks_;
  std::uint64_t quotes_ = 0;
};

}  // namespace ticker
