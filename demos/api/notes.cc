#include "notes.h"

#include <squall/web/escape/unicode.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace api {
namespace {

namespace web = squall::web;
using nlohmann::json;
using Errors = std::vector<InvalidFields::Error>;

constexpr std::size_t kMaxTags = 5;

std::string names_of(const Errors& errors) {
  std::string names;
  for (const InvalidFields::Error& error : errors) names += (names.empty() ? "" : ", ") + error.field;
  return names;
}

// The text, or an error if it is no text or has a wrong number of characters.
std::string text_of(const std::string& field, const json& value, std::size_t least, std::size_t most,
                    Errors& errors) {
  if (!value.is_string()) {
    errors.push_back({field, "must be a text"});
    return {};
  }
  const std::string text = value;
  const std::optional<std::u32string> characters = web::to_unicode(text);
  if (!characters || characters->size() < least || characters->size() > most)
    errors.push_back({field, fmt::format("must have {} to {} characters", least, most)});
  return text;
}

std::vector<std::string> tags_of(const json& value, Errors& errors) {
  if (!value.is_array() || value.size() > kMaxTags) {
    errors.push_back({"tags", fmt::format("must be a list of at most {} tags", kMaxTags)});
    return {};
  }
  std::vector<std::string> tags;
  for (const json& tag : value)
    tags.push_back(text_of(fmt::format("tags[{}]", tags.size()), tag, 1, 20, errors));
  return tags;
}

void find_unknown(const json& fields, Errors& errors) {
  static constexpr std::array<std::string_view, 4> kKnown = {"title", "text", "tags", "pinned"};
  for (const auto& [name, value] : fields.items()) {
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end())
      errors.push_back({name, "is not a field of a note that a client sets"});
  }
}

}  // namespace

json as_json(const Note& note) {
  return {{"id", note.id},     {"title", note.title},   {"text", note.text},
          {"tags", note.tags}, {"pinned", note.pinned}, {"created", note.created}};
}

InvalidFields::InvalidFields(std::vector<Error> errors)
    : HTTPError(422, "invalid fields: " + names_of(errors)), errors_(std::move(errors)) {}

void update(Note& note, const json& fields, Absent absent) {
  if (!fields.is_object()) throw web::HTTPError(400, "the body is not an object");
  Note next = note;
  if (absent == Absent::is_default) next = Note{.id = note.id, .created = note.created};
  Errors errors;
  if (fields.contains("title")) {
    next.title = text_of("title", fields["title"], 1, 100, errors);
  } else if (absent == Absent::is_default) {
    errors.push_back({"title", "is missing"});
  }
  if (fields.contains("text")) next.text = text_of("text", fields["text"], 0, 2000, errors);
  if (fields.contains("tags")) next.tags = tags_of(fields["tags"], errors);
  if (fields.contains("pinned")) {
    if (fields["pinned"].is_boolean()) {
      next.pinned = fields["pinned"];
    } else {
      errors.push_back({"pinned", "must be true or false"});
    }
  }
  find_unknown(fields, errors);
  if (!errors.empty()) throw InvalidFields(std::move(errors));
  note = std::move(next);
}

Note& Notes::add(Note note) {
  if (notes_.size() >= kMost) throw web::HTTPError(409, "there are too many notes");
  note.id = ++last_id_;
  note.created = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  return notes_[note.id] = std::move(note);
}

Note& Notes::get(std::int64_t id) {
  const auto found = notes_.find(id);
  if (found == notes_.end()) throw web::HTTPError(404);
  return found->second;
}

void Notes::remove(std::int64_t id) {
  if (notes_.erase(id) == 0) throw web::HTTPError(404);
}

Notes::Page Notes::list(std::int64_t after, std::size_t limit, const std::string& tag) const {
  Page page;
  for (auto i = notes_.upper_bound(after); i != notes_.end(); ++i) {
    const Note& note = i->second;
    if (!tag.empty() && std::find(note.tags.begin(), note.tags.end(), tag) == note.tags.end()) continue;
    if (page.notes.size() == limit) {
      page.next = page.notes.back()->id;
      break;
    }
    page.notes.push_back(&note);
  }
  return page;
}

}  // namespace api
