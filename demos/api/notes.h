#pragma once

#include <squall/web/handler/http_error.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace api {

struct Note {
  std::int64_t id = 0;
  std::string title{};
  std::string text{};
  std::vector<std::string> tags{};
  bool pinned = false;
  std::string created{};  // RFC 3339
};

nlohmann::json as_json(const Note& note);

// Fields of a request that are missing or wrong: a 422, whose page lists them.
class InvalidFields : public squall::web::HTTPError {
 public:
  struct Error {
    std::string field;    // `tags[1]` for an element of a list
    std::string message;  // for the user, such as `must have 1 to 100 characters`
  };
  explicit InvalidFields(std::vector<Error> errors);
  InvalidFields(std::string field, std::string message)
      : InvalidFields(std::vector<Error>{{std::move(field), std::move(message)}}) {}
  const std::vector<Error>& errors() const noexcept { return errors_; }

 private:
  std::vector<Error> errors_;
};

// The value of a field that a request leaves out: the default, or the one that the note has.
enum class Absent : std::uint8_t { is_default, is_kept };

// Copies the fields of a JSON object to the note. Throws InvalidFields with all that is wrong, and then
// changes nothing.
void update(Note& note, const nlohmann::json& fields, Absent absent);

// The notes, by id.
class Notes {
 public:
  static constexpr std::size_t kMost = 1000;

  // Sets the id and the time. Throws HTTPError 409 beyond kMost notes.
  Note& add(Note note);
  // These throw HTTPError 404 if no note has the id.
  Note& get(std::int64_t id);
  void remove(std::int64_t id);

  struct Page {
    std::vector<const Note*> notes;
    std::optional<std::int64_t> next;  // the `after` of the next page
  };
  // At most `limit` notes with ids above `after`, and with the tag if it is not empty.
  Page list(std::int64_t after, std::size_t limit, const std::string& tag) const;

 private:
  std::map<std::int64_t, Note> notes_;
  std::int64_t last_id_ = 0;
};

}  // namespace api
