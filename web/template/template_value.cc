#include <squall/web/template/template_value.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace squall::web {
namespace detail {

struct TemplateList {
  TemplateValue::List items;
  std::size_t depth;
};

// Small maps are searched from front to back; larger ones by `order`, the indexes in the order of the keys.
struct TemplateMap {
  std::vector<TemplateValue::Entry> entries;
  std::vector<std::uint32_t> order;
  std::size_t depth;
};

}  // namespace detail

namespace {

constexpr std::size_t kSmallMap = 12;

std::size_t depth_above(std::size_t deepest) {
  if (deepest >= TemplateValue::kMostDepth)
    throw std::length_error("lists and maps of a template are nested too deeply");
  return deepest + 1;
}

// Keeps the later of two entries with one key, at the place of the first, as in Python.
void remove_duplicates(std::vector<TemplateValue::Entry>& entries, std::vector<std::uint32_t>& order) {
  const auto less = [&](std::uint32_t a, std::uint32_t b) { return entries[a].first < entries[b].first; };
  std::stable_sort(order.begin(), order.end(), less);
  bool has_duplicates = false;
  std::vector<bool> is_dropped(entries.size());
  for (std::size_t i = 0; i + 1 < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && entries[order[end]].first == entries[order[i]].first) ++end;
    if (end > i + 1) {
      entries[order[i]].second = std::move(entries[order[end - 1]].second);
      for (std::size_t j = i + 1; j < end; ++j) is_dropped[order[j]] = true;
      has_duplicates = true;
    }
    i = end;
  }
  if (!has_duplicates) return;
  std::vector<TemplateValue::Entry> kept;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!is_dropped[i]) kept.push_back(std::move(entries[i]));
  entries = std::move(kept);
  order.resize(entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), less);
}

}  // namespace

TemplateValue TemplateValue::list(List items) {
  std::size_t deepest = 0;
  for (const TemplateValue& item : items) deepest = std::max(deepest, item.depth());
  TemplateValue value;
  value.value_ = std::make_shared<const detail::TemplateList>(
      detail::TemplateList{std::move(items), depth_above(deepest)});
  return value;
}

TemplateValue TemplateValue::map(std::vector<Entry> entries) {
  std::size_t deepest = 0;
  for (const auto& [key, item] : entries) deepest = std::max(deepest, item.depth());
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0);
  remove_duplicates(entries, order);
  TemplateValue value;
  value.value_ = std::make_shared<const detail::TemplateMap>(
      detail::TemplateMap{std::move(entries), std::move(order), depth_above(deepest)});
  return value;
}

TemplateValue TemplateValue::function(Function function) {
  TemplateValue value;
  value.value_ = std::make_shared<const Function>(std::move(function));
  return value;
}

void TemplateValue::assign_text(std::string text) {
  if (text.size() > kLongestCopied) {
    value_ = std::make_shared<const std::string>(std::move(text));
  } else {
    value_ = std::move(text);
  }
}

const TemplateValue::List* TemplateValue::as_list() const noexcept {
  const auto* const list = std::get_if<std::shared_ptr<const detail::TemplateList>>(&value_);
  return list ? &(*list)->items : nullptr;
}

const std::vector<TemplateValue::Entry>* TemplateValue::as_map() const noexcept {
  const auto* const map = std::get_if<std::shared_ptr<const detail::TemplateMap>>(&value_);
  return map ? &(*map)->entries : nullptr;
}

const TemplateValue::Function* TemplateValue::as_function() const noexcept {
  const auto* const function = std::get_if<std::shared_ptr<const Function>>(&value_);
  return function ? function->get() : nullptr;
}

const TemplateValue* TemplateValue::find(std::string_view key) const noexcept {
  const auto* const found = std::get_if<std::shared_ptr<const detail::TemplateMap>>(&value_);
  if (!found) return nullptr;
  const detail::TemplateMap& map = **found;
  if (map.entries.size() <= kSmallMap) {
    for (const auto& [name, value] : map.entries)
      if (name == key) return &value;
    return nullptr;
  }
  const auto at =
      std::lower_bound(map.order.begin(), map.order.end(), key,
                       [&](std::uint32_t i, std::string_view k) { return map.entries[i].first < k; });
  if (at == map.order.end() || map.entries[*at].first != key) return nullptr;
  return &map.entries[*at].second;
}

bool TemplateValue::is_true() const noexcept {
  switch (kind()) {
    case Kind::null: return false;
    case Kind::boolean: return *as_boolean();
    case Kind::integer: return *as_integer() != 0;
    case Kind::number: return *as_number() != 0;
    case Kind::text: return !as_text()->empty();
    case Kind::list: return !as_list()->empty();
    case Kind::map: return !as_map()->empty();
    case Kind::function: return true;
  }
  return false;
}

std::size_t TemplateValue::depth() const noexcept {
  if (const auto* list = std::get_if<std::shared_ptr<const detail::TemplateList>>(&value_))
    return (*list)->depth;
  if (const auto* map = std::get_if<std::shared_ptr<const detail::TemplateMap>>(&value_))
    return (*map)->depth;
  return 0;
}

}  // namespace squall::web
