#include "blog.h"

#include <fmt/format.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/template/template_value.h>

#include <charconv>
#include <utility>

#include "slug.h"

using squall::Task;
using squall::web::TemplateValue;

namespace blog {
namespace {

constexpr char kAuthors[] =
    "CREATE TABLE IF NOT EXISTS authors ("
    "id INTEGER PRIMARY KEY, email VARCHAR(100) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL, "
    "hashed_password VARCHAR(100) NOT NULL)";
constexpr char kEntries[] =
    "CREATE TABLE IF NOT EXISTS entries ("
    "id {}, author_id INTEGER NOT NULL REFERENCES authors(id), slug VARCHAR(100) NOT NULL UNIQUE, "
    "title VARCHAR(512) NOT NULL, markdown TEXT NOT NULL, html TEXT NOT NULL, "
    "published BIGINT NOT NULL, updated BIGINT NOT NULL)";
constexpr char kIndex[] = "CREATE INDEX IF NOT EXISTS entries_published ON entries (published)";
constexpr char kSecrets[] =
    "CREATE TABLE IF NOT EXISTS secrets (name VARCHAR(100) PRIMARY KEY, value VARCHAR(100) NOT NULL)";

// The columns are in the order of entry_of().
const std::string kSelectEntry =
    "SELECT e.id, e.author_id, a.name, e.slug, e.title, e.published, e.updated, e.markdown, e.html "
    "FROM entries e JOIN authors a ON a.id = e.author_id ";
const std::string kSelectAuthor = "SELECT id, email, name, hashed_password FROM authors ";

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Author author_of(Row& row) {
  return {.id = number_of(row.at(0)),
          .email = std::move(row.at(1)),
          .name = std::move(row.at(2)),
          .hashed_password = std::move(row.at(3))};
}

Entry entry_of(Row& row) {
  return {.id = number_of(row.at(0)),
          .author_id = number_of(row.at(1)),
          .author = std::move(row.at(2)),
          .slug = std::move(row.at(3)),
          .title = std::move(row.at(4)),
          .markdown = std::move(row.at(7)),
          .html = std::move(row.at(8)),
          .published = number_of(row.at(5)),
          .updated = number_of(row.at(6))};
}

std::vector<Entry> entries_of(Rows& rows) {
  std::vector<Entry> entries;
  for (Row& row : rows) entries.push_back(entry_of(row));
  return entries;
}

template <class... T>
std::vector<Value> parameters(T... values) {
  std::vector<Value> list;
  (list.emplace_back(std::move(values)), ...);
  return list;
}

// The slug with `-2` behind it `times` times, cut to fit into its column.
std::string numbered(std::string_view slug, std::size_t times) {
  std::string result(slug.substr(0, kMaxSlug - 2 * times));
  for (std::size_t i = 0; i < times; ++i) result += "-2";
  return result;
}

}  // namespace

void to_template_value(TemplateValue& out, const Author& author) {
  out = TemplateValue::map({{"id", author.id}, {"name", author.name}});
}

void to_template_value(TemplateValue& out, const Entry& entry) {
  out = TemplateValue::map({{"id", entry.id},
                            {"author", entry.author},
                            {"slug", entry.slug},
                            {"title", entry.title},
                            {"markdown", entry.markdown},
                            {"html", entry.html},
                            {"published", entry.published},
                            {"updated", entry.updated}});
}

Task<> Blog::create_tables() {
  std::string entries = fmt::format(kEntries, database_.counted_id());
  co_await database_.run(kAuthors, parameters());
  co_await database_.run(std::move(entries), parameters());
  co_await database_.run(kIndex, parameters());
  co_await database_.run(kSecrets, parameters());
}

Task<std::string> Blog::cookie_secret() {
  std::string secret;
  for (const char byte : squall::detail::random_bytes<32>())
    secret += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  // Of two programs that start for the first time, both get the secret of the first.
  co_await database_.run(
      "INSERT INTO secrets (name, value) VALUES ('cookies', $1) ON CONFLICT (name) DO NOTHING",
      parameters(secret));
  const Rows rows = co_await database_.run("SELECT value FROM secrets WHERE name = 'cookies'", parameters());
  co_return rows.at(0).at(0);
}

Task<bool> Blog::has_author() {
  const Rows rows = co_await database_.run("SELECT id FROM authors LIMIT 1", parameters());
  co_return !rows.empty();
}

Task<std::optional<Author>> Blog::author(std::int64_t id) {
  Rows rows = co_await database_.run(kSelectAuthor + "WHERE id = $1", parameters(id));
  if (rows.empty()) co_return std::nullopt;
  co_return author_of(rows.front());
}

Task<std::optional<Author>> Blog::author_with_email(std::string email) {
  Rows rows = co_await database_.run(kSelectAuthor + "WHERE email = $1", parameters(std::move(email)));
  if (rows.empty()) co_return std::nullopt;
  co_return author_of(rows.front());
}

Task<std::optional<std::int64_t>> Blog::add_only_author(Author author) {
  // Of two at once, one finds the id taken.
  std::vector<Value> values = parameters(author.email, author.name, author.hashed_password);
  const Rows rows = co_await database_.run(
      "INSERT INTO authors (id, email, name, hashed_password) VALUES (1, $1, $2, $3) "
      "ON CONFLICT DO NOTHING RETURNING id",
      std::move(values));
  if (rows.empty()) co_return std::nullopt;
  co_return number_of(rows.front().at(0));
}

Task<std::vector<Entry>> Blog::latest(std::int64_t count) {
  Rows rows = co_await database_.run(kSelectEntry + "ORDER BY e.published DESC, e.id DESC LIMIT $1",
                                     parameters(count));
  co_return entries_of(rows);
}

Task<std::vector<Entry>> Blog::archive() {
  Rows rows = co_await database_.run(
      "SELECT e.id, e.author_id, a.name, e.slug, e.title, e.published, e.updated, '', '' "
      "FROM entries e JOIN authors a ON a.id = e.author_id ORDER BY e.published DESC, e.id DESC",
      parameters());
  co_return entries_of(rows);
}

Task<std::optional<Entry>> Blog::entry(std::int64_t id) {
  Rows rows = co_await database_.run(kSelectEntry + "WHERE e.id = $1", parameters(id));
  if (rows.empty()) co_return std::nullopt;
  co_return entry_of(rows.front());
}

Task<std::optional<Entry>> Blog::entry_at(std::string slug) {
  Rows rows = co_await database_.run(kSelectEntry + "WHERE e.slug = $1", parameters(std::move(slug)));
  if (rows.empty()) co_return std::nullopt;
  co_return entry_of(rows.front());
}

Task<std::string> Blog::add(Entry entry) {
  const std::string base = slug_of(entry.title);
  for (std::size_t times = 0; 2 * times < kMaxSlug; ++times) {
    std::string slug = numbered(base, times);
    std::vector<Value> values = parameters(entry.author_id, slug, entry.title, entry.markdown, entry.html,
                                           entry.published, entry.updated);
    const Rows rows = co_await database_.run(
        "INSERT INTO entries (author_id, slug, title, markdown, html, published, updated) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (slug) DO NOTHING RETURNING id",
        std::move(values));
    if (!rows.empty()) co_return slug;
  }
  throw squall::web::HTTPError(409, "too many entries have this title");
}

Task<std::optional<std::string>> Blog::update(Entry entry) {
  std::vector<Value> values = parameters(entry.title, entry.markdown, entry.html, entry.updated, entry.id);
  Rows rows = co_await database_.run(
      "UPDATE entries SET title = $1, markdown = $2, html = $3, updated = $4 WHERE id = $5 RETURNING slug",
      std::move(values));
  if (rows.empty()) co_return std::nullopt;
  co_return std::move(rows.front().at(0));
}

}  // namespace blog
