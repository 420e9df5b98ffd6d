#include "market.h"

#include <fmt/format.h>

#include <algorithm>

namespace ticker {
namespace {

constexpr std::string_view kSymbols[] = {"BORA", "FOHN", "GALE", "HAAR", "LEVE", "MIST",
                                         "OSTR", "PUNA", "SIMO", "SQLL", "TRAM", "ZEPH"};

}  // namespace

Market::Market(std::uint32_t seed) : random_(seed) {
  std::uniform_real_distribution<double> first(20, 400);
  for (const std::string_view symbol : kSymbols) {
    const double price = first(random_);
    stocks_.push_back({symbol, price, price});
  }
}

Market::Quote Market::next() {
  Stock& stock = stocks_[std::uniform_int_distribution<std::size_t>(0, stocks_.size() - 1)(random_)];
  stock.price = std::max(1.0, stock.price * (1 + std::normal_distribution<double>(0, 0.0015)(random_)));
  return {stock.symbol, ++quotes_, stock.price, stock.open};
}

std::string Market::Quote::to_json() const {
  return fmt::format(R"({{"symbol":"{}","number":{},"price":{:.2f},"open":{:.2f}}})", symbol, number, price,
                     open);
}

}  // namespace ticker
