#include "handlers.h"

#include <fmt/format.h>
#include <squall/ioloop/process/run_in_executor.h>
#include <squall/web.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "markdown.h"
#include "password.h"

using namespace squall;

namespace blog {
namespace {

constexpr std::string_view kUserCookie = "blogdemo_user";
constexpr std::size_t kMinPassword = 8;

std::int64_t seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::size_t characters(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

// A page that knows its reader (DEM-53).
class PageHandler : public web::RequestHandler {
 public:
  void initialize(Blog& blog) { blog_ = &blog; }

  Task<std::optional<Author>> get_current_user() {
    const std::optional<std::string> cookie = get_signed_cookie(kUserCookie);
    std::int64_t id = 0;
    if (cookie) std::from_chars(cookie->data(), cookie->data() + cookie->size(), id);
    if (id == 0) co_return std::nullopt;
    std::optional<Author> author = co_await blog_->author(id);
    co_return author;
  }

  void prepare() { set_header("Cache-Control", "no-store"); }

 protected:
  Blog& blog() const noexcept { return *blog_; }

  void sign_in(std::int64_t author) { set_signed_cookie(kUserCookie, std::to_string(author)); }
  // The page to go to after signing in: one of this site (DEM-57).
  std::string next_page() {
    std::string next = get_argument("next", "/");
    if (!web::is_local_path(next)) throw web::HTTPError(400, "next is not a path of this site");
    return next;
  }

 private:
  Blog* blog_ = nullptr;
};

class HomeHandler : public PageHandler {
 public:
  Task<> get() {
    const std::vector<Entry> entries = co_await blog().latest(5);
    if (entries.empty()) {
      redirect("/compose");
    } else {
      render("home.html", {{"entries", entries}});
    }
  }
};

class ArchiveHandler : public PageHandler {
 public:
  Task<> get() {
    const std::vector<Entry> entries = co_await blog().archive();
    render("archive.html", {{"entries", entries}});
  }
};

class EntryHandler : public PageHandler {
 public:
  Task<> get(std::string slug) {
    const std::optional<Entry> entry = co_await blog().entry_at(std::move(slug));
    if (!entry) throw web::HTTPError(404);
    render("entry.html", {{"entry", *entry}});
  }
};

class FeedHandler : public web::RequestHandler {
 public:
  void initialize(Blog& blog) { blog_ = &blog; }
  Task<> get() {
    const std::vector<Entry> entries = co_await blog_->latest(10);
    std::int64_t updated = 0;
    for (const Entry& entry : entries) updated = std::max(updated, entry.updated);
    set_header("Content-Type", "application/atom+xml; charset=UTF-8");
    const std::string site = fmt::format("{}://{}", request().protocol(), request().host());
    render("feed.xml", {{"entries", entries}, {"site", site}, {"updated", updated}});
  }

 private:
  Blog* blog_ = nullptr;
};

class ComposeHandler : public PageHandler {
 public:
  static constexpr bool authenticated = true;

  Task<> get() {
    const auto id = argument<std::optional<std::int64_t>>("id");
    Entry entry;
    if (id) {
      std::optional<Entry> found = co_await blog().entry(*id);
      if (!found) throw web::HTTPError(404);
      entry = *std::move(found);
    }
    show_form(entry, {});
  }

  Task<> post() {
    Entry entry;
    entry.id = argument<std::optional<std::int64_t>>("id").value_or(0);
    entry.title = get_argument("title");
    entry.markdown = get_argument("markdown", Blanks::kept);
    if (entry.title.empty() || characters(entry.title) > Blog::kMaxTitle) {
      show_form(entry, fmt::format("the title needs 1 to {} characters", Blog::kMaxTitle));
      co_return;
    }
    entry.html = co_await run_in_executor(html_of, entry.markdown);
    entry.published = entry.updated = seconds_now();
    std::string slug;
    if (entry.id == 0) {
      entry.author_id = current_user<Author>()->id;
      slug = co_await blog().add(std::move(entry));
    } else {
      std::optional<std::string> kept = co_await blog().update(std::move(entry));
      if (!kept) throw web::HTTPError(404);
      slug = *std::move(kept);
    }
    redirect("/entry/" + slug, 303);
  }

 private:
  void show_form(const Entry& entry, std::string_view problem) {
    render("compose.html", {{"entry", entry}, {"problem", problem}});
  }
};

class CreateAuthorHandler : public PageHandler {
 public:
  Task<> get() {
    const std::string next = next_page();
    co_await check_absent();
    show_form(next, "", "", "");
  }

  Task<> post() {
    const std::string next = next_page();
    Author author;
    author.email = get_argument("email");
    author.name = get_argument("name");
    const std::string password = get_argument("password", Blanks::kept);
    co_await check_absent();
    const std::string problem = problem_of(author, password);
    if (!problem.empty()) {
      show_form(next, author.email, author.name, problem);
      co_return;
    }
    author.hashed_password = co_await run_in_executor(hash_password, password);
    const std::optional<std::int64_t> id = co_await blog().add_only_author(std::move(author));
    if (!id) refuse();
    sign_in(*id);
    redirect(next, 303);
  }

 private:
  [[noreturn]] static void refuse() { throw web::HTTPError(400, "the blog has an author already"); }
  Task<> check_absent() {
    const bool has_author = co_await blog().has_author();
    if (has_author) refuse();
  }
  static std::string problem_of(const Author& author, std::string_view password) {
    if (author.name.empty() || characters(author.name) > Blog::kMaxName)
      return fmt::format("the name needs 1 to {} characters", Blog::kMaxName);
    if (author.email.find('@') == std::string::npos || characters(author.email) > Blog::kMaxEmail)
      return fmt::format("the mail address needs an @, and at most {} characters", Blog::kMaxEmail);
    if (characters(password) < kMinPassword || password.size() > kMaxPassword)
      return fmt::format("the password needs {} characters or more, and at most {} bytes", kMinPassword,
                         kMaxPassword);
    return {};
  }
  void show_form(std::string_view next, std::string_view email, std::string_view name,
                 std::string_view problem) {
    render("create_author.html", {{"next", next}, {"email", email}, {"name", name}, {"problem", problem}});
  }
};

class LoginHandler : public PageHandler {
 public:
  Task<> get() {
    const std::string next = next_page();
    const bool has_author = co_await blog().has_author();
    if (has_author) {
      show_form(next, "", "");
    } else {
      redirect("/auth/create?next=" + web::url_escape(next));
    }
  }

  Task<> post() {
    const std::string next = next_page();
    const std::string email = get_argument("email");
    const std::string password = get_argument("password", Blanks::kept);
    const std::optional<Author> author = co_await blog().author_with_email(email);
    if (!author) {
      show_form(next, email, "email not found");
      co_return;
    }
    bool is_right = false;
    if (password.size() <= kMaxPassword)
      is_right = co_await run_in_executor(is_password, password, author->hashed_password);
    if (!is_right) {
      show_form(next, email, "incorrect password");
      co_return;
    }
    sign_in(author->id);
    redirect(next, 303);
  }

 private:
  void show_form(std::string_view next, std::string_view email, std::string_view problem) {
    render("login.html", {{"next", next}, {"email", email}, {"problem", problem}});
  }
};

// Only by POST, which the XSRF token protects: another site cannot sign the author out.
class LogoutHandler : public web::RequestHandler {
 public:
  void post() {
    const std::string next = get_argument("next", "/");
    if (!web::is_local_path(next)) throw web::HTTPError(400, "next is not a path of this site");
    clear_cookie(kUserCookie);
    redirect(next, 303);
  }
};

// The style and the icon, which are in the program as the templates are.
class FileHandler : public web::RequestHandler {
 public:
  void get(std::string name) {
    set_header("Content-Type", name.ends_with(".svg") ? "image/svg+xml" : "text/css; charset=UTF-8");
    set_header("Cache-Control", "max-age=600");
    render(name);
  }
};

}  // namespace

std::vector<web::Rule> routes(Blog& blog) {
  // Against guesses of the password.
  const web::RateLimit limit({.requests = 30});
  std::vector<web::Rule> rules;
  rules.push_back(web::url<HomeHandler>("/", std::ref(blog)));
  rules.push_back(web::url<ArchiveHandler>("/archive", std::ref(blog)));
  rules.push_back(web::url<FeedHandler>("/feed", std::ref(blog)));
  rules.push_back(web::url<EntryHandler>("/entry/([^/]+)", std::ref(blog)));
  rules.push_back(web::url<ComposeHandler>("/compose", std::ref(blog)));
  rules.push_back(web::url<CreateAuthorHandler>("/auth/create", std::ref(blog)).with(limit));
  rules.push_back(web::url<LoginHandler>("/auth/login", std::ref(blog)).with(limit));
  rules.push_back(web::url<LogoutHandler>("/auth/logout"));
  rules.push_back(web::url<FileHandler>(R"(/files/(site\.css|entry\.css|icon\.svg))"));
  return rules;
}

}  // namespace blog
