#include <squall/options/option_record.h>

#include <squall/options/error.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::options {
namespace {

// The parts between commas, without the spaces around them. An empty text has none.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    const bool ends_with_comma = comma + 1 == text.size();
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (ends_with_comma) parts.emplace_back();
  }
  return parts;
}

// Stores a value, and calls the callback. If the callback throws, the record is as before; a
// std::invalid_argument becomes an Error that begins with `place`.
void store(OptionRecord& record, const void* value, Source source, const std::string& place) {
  const ErasedValue former(*record.type);
  record.type->assign(former.get(), record.value);
  const Source former_source = std::exchange(record.source, source);
  const auto restore = [&] {
    record.type->assign(record.value, former.get());
    record.source = former_source;
  };
  record.type->assign(record.value, value);
  if (!record.callback) return;
  try {
    record.callback->call(record.value);
  } catch (const std::invalid_argument& error) {
    restore();
    throw Error(place + ": " + error.what());
  } catch (...) {
    restore();
    throw;
  }
}

}  // namespace

void store_texts(OptionRecord& record, const std::vector<std::string>& texts, const Origin& origin,
                 ListMode mode) {
  const ErasedValue value(*record.type);
  if (mode == ListMode::append) record.type->assign(value.get(), record.value);
  for (const std::string& text : texts) {
    const std::string problem = record.type->read(text, record.limits, value.get());
    if (!problem.empty()) throw Error(origin.place + ": " + problem);
  }
  // The program may replace every value; of the other sources the stronger wins.
  if (origin.source == Source::program || origin.source >= record.source)
    store(record, value.get(), origin.source, origin.place);
}

void store_text(OptionRecord& record, std::string_view text, const Origin& origin, ListMode mode) {
  store_texts(record, record.type->is_list ? split(text) : std::vector<std::string>{std::string(text)},
              origin, mode);
}

void store_value(OptionRecord& record, const void* value) {
  const std::string problem = record.type->check(value, record.limits);
  if (!problem.empty()) throw Error(record.shown_name() + ": " + problem);
  store(record, value, Source::program, record.shown_name());
}

namespace detail {

const std::string& OptionHandle::name() const noexcept { return record_->name; }
Source OptionHandle::source() const noexcept { return record_->source; }
void* OptionHandle::value() const noexcept { return record_->value; }
void OptionHandle::store(const void* value) const { store_value(*record_, value); }
void OptionHandle::restore(const void* value, Source source) const {
  store_value(*record_, value);
  record_->source = source;
}
void OptionHandle::set_group(std::string group) const { record_->group = std::move(group); }
void OptionHandle::set_metavar(std::string metavar) const { record_->metavar = std::move(metavar); }
void OptionHandle::set_short_name(char name) const noexcept { record_->short_name = name; }
void OptionHandle::set_required() const noexcept { record_->is_required = true; }
void OptionHandle::hide_default_text() const noexcept { record_->default_text.clear(); }
void OptionHandle::set_needed(const OptionHandle& other) const noexcept { record_->needed = other.record_; }
void OptionHandle::set_words(std::size_t least, std::size_t most) const noexcept {
  record_->least_words = least;
  record_->most_words = most;
}
Limits& OptionHandle::limits() const noexcept { return record_->limits; }
void OptionHandle::set_callback(std::unique_ptr<ValueCallback> callback) const {
  record_->callback = std::move(callback);
}

}  // namespace detail

}  // namespace squall::options
