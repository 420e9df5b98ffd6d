#pragma once

#include <squall/ioloop/loop/task.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "database.h"

namespace squall::web {
class TemplateValue;
}

namespace blog {

struct Author {
  std::int64_t id = 0;
  std::string email{};
  std::string name{};
  std::string hashed_password{};
};

struct Entry {
  std::int64_t id = 0;
  std::int64_t author_id = 0;
  std::string author{};  // the name
  std::string slug{};
  std::string title{};
  std::string markdown{};
  std::string html{};
  std::int64_t published = 0;  // seconds since 1970, as `updated`
  std::int64_t updated = 0;
};

// Templates do not get the mail address and the hash.
void to_template_value(squall::web::TemplateValue& out, const Author& author);
void to_template_value(squall::web::TemplateValue& out, const Entry& entry);

// The author and the entries, in the tables of a database.
//
// Thread:    the loop's thread.
// Lifetime:  borrows the database.
// Errors:    of Database::run().
class Blog {
 public:
  // The most characters (DEM-51).
  static constexpr std::size_t kMaxEmail = 100;
  static constexpr std::size_t kMaxName = 100;
  static constexpr std::size_t kMaxTitle = 512;

  explicit Blog(Database& database) noexcept : database_(database) {}

  // Makes the tables that are missing.
  squall::Task<> create_tables();
  // A random text that is made once, and kept in the database: signed cookies stay valid when the program is
  // started again.
  squall::Task<std::string> cookie_secret();

  squall::Task<bool> has_author();
  squall::Task<std::optional<Author>> author(std::int64_t id);
  squall::Task<std::optional<Author>> author_with_email(std::string email);
  // Returns the author's id, or nullopt if there is an author already, also if that one came in the same
  // moment (DEM-54).
  squall::Task<std::optional<std::int64_t>> add_only_author(Author author);

  // The last `count` entries, newest first.
  squall::Task<std::vector<Entry>> latest(std::int64_t count);
  // All, newest first, without their texts.
  squall::Task<std::vector<Entry>> archive();
  squall::Task<std::optional<Entry>> entry(std::int64_t id);
  squall::Task<std::optional<Entry>> entry_at(std::string slug);
  // Stores a new entry under a slug of its title that no other entry has, and returns the slug.
  squall::Task<std::string> add(Entry entry);
  // Replaces title, text and time of the entry with this id. Returns its slug, which stays; nullopt without
  // such an entry.
  squall::Task<std::optional<std::string>> update(Entry entry);

 private:
  Database& database_;
};

}  // namespace blog
