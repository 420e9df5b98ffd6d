// Ranges and conditions of requests to web::StaticFileHandler. Each response is a complete and correct answer
// for the file; what the client gets is checked by an obvious reading of the headers.
//
// The first byte of an input selects the file, and HEAD. The rest is lines: a letter for the header, and its
// value, in which `%E` is the entity tag of the file and `%T` its time.

#include <squall/http/message/date.h>
#include <squall/ioloop/base/log.h>
#include <squall/testing/test_client.h>
#include <squall/web/app/application.h>
#include <squall/web/static/static_file_handler.h>

#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/fuzz.h"

namespace squall::web {
namespace {

// Beyond 64 KiB the handler does not keep the content in memory.
constexpr std::size_t kSizes[] = {0, 1, 10, 70'000};
constexpr std::size_t kMaxRanges = 16;

struct File {
  std::string path;
  std::string content;
  std::string etag;
  std::string time;
};

struct Site {
  Site() {
    folder = (std::filesystem::temp_directory_path() / "squall-XXXXXX").string();
    FUZZ_CHECK(::mkdtemp(folder.data()));
    for (const std::size_t size : kSizes) {
      File file{.path = "/" + std::to_string(size) + ".txt", .content = {}, .etag = {}, .time = {}};
      for (std::size_t i = 0; i < size; ++i) file.content += static_cast<char>('a' + i * i % 26);
      std::ofstream(folder + file.path, std::ios::binary) << file.content;
      files.push_back(std::move(file));
    }
    app.emplace(std::vector<Rule>{url<StaticFileHandler>("/(.*)", folder)});
    client.emplace(*app, TestClientOptions(), loop);
    for (File& file : files) {
      const http::HTTPResponse response = client->get(file.path);
      file.etag = response.headers().get("Etag");
      file.time = response.headers().get("Last-Modified");
      FUZZ_CHECK(response.body() == file.content && file.etag.size() > 100 && !file.time.empty());
    }
  }
  ~Site() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  IOLoop loop;
  std::string folder;
  std::vector<File> files;
  std::optional<Application> app;
  std::optional<TestClient> client;
};

using Values = std::map<char, std::string>;

std::string_view header_of(char letter) {
  switch (letter) {
    case 'R': return "Range";
    case 'I': return "If-Range";
    case 'N': return "If-None-Match";
    case 'M': return "If-Modified-Since";
    case 'A': return "If-Match";
    case 'U': return "If-Unmodified-Since";
    default: return {};
  }
}

void replace_all(std::string& text, std::string_view old, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(old, at)) != text.npos; at += with.size())
    text.replace(at, old.size(), with);
}

// One value for each letter, as a client may send it.
Values values_of(std::string_view text, const File& file) {
  Values values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string value(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (value.empty() || header_of(value[0]).empty()) continue;
    const char letter = value[0];
    value.erase(0, 1);
    std::erase_if(value, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; });
    replace_all(value, "%E", file.etag);
    replace_all(value, "%T", file.time);
    while (value.starts_with(' ') || value.starts_with('\t')) value.erase(0, 1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.pop_back();
    values[letter] = value;
  }
  return values;
}

// ---- An obvious reading of Range.

std::optional<std::uint64_t> small_number(std::string_view text) {
  std::uint64_t number = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Which bytes are asked for. nullopt for a header that is not in the simplest form: `bytes=1-2,3-,-4` with up
// to 16 ranges of small numbers and without blanks.
std::optional<std::vector<bool>> asked_for(std::string_view range, std::size_t size) {
  std::vector<bool> bytes(size);
  if (!range.starts_with("bytes=")) return std::nullopt;
  range.remove_prefix(6);
  for (std::size_t count = 1;; ++count) {
    const std::string_view one = range.substr(0, range.find(','));
    const std::size_t dash = one.find('-');
    if (count > kMaxRanges || dash == one.npos) return std::nullopt;
    const auto first = small_number(one.substr(0, dash));
    const auto last = small_number(one.substr(dash + 1));
    if ((dash > 0 && !first) || (dash + 1 < one.size() && !last) || (!first && !last)) return std::nullopt;
    if (first && last && *last < *first) return std::nullopt;
    const std::uint64_t begin = first ? *first : size - std::min<std::uint64_t>(size, *last);
    const std::uint64_t end = first && last ? *last + 1 : size;
    for (std::uint64_t i = begin; i < std::min<std::uint64_t>(end, size); ++i) bytes[i] = true;
    if (one.size() == range.size()) return bytes;
    range.remove_prefix(one.size() + 1);
  }
}

// ---- An obvious reading of a 206.

struct Parts {
  std::vector<bool> bytes;  // which are in the response
  std::size_t count = 0;
};

// The text up to `end`, which is removed too.
std::string_view take(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  FUZZ_CHECK(at != text.npos);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return taken;
}

std::uint64_t number_of(std::string_view digits) {
  const auto number = small_number(digits);
  FUZZ_CHECK(number);
  return *number;
}

// Checks that the content begins with the bytes of a Content-Range, and removes them.
void take_slice(std::string_view content_range, std::string_view& content, const File& file, Parts& parts) {
  FUZZ_CHECK(content_range.starts_with("bytes "));
  content_range.remove_prefix(6);
  const std::uint64_t first = number_of(take(content_range, "-"));
  const std::uint64_t last = number_of(take(content_range, "/"));
  FUZZ_CHECK(number_of(content_range) == file.content.size());
  FUZZ_CHECK(first <= last && last < file.content.size());
  const std::string_view slice = std::string_view(file.content).substr(first, last - first + 1);
  FUZZ_CHECK(content.starts_with(slice));
  content.remove_prefix(slice.size());
  for (std::uint64_t i = first; i <= last; ++i) {
    FUZZ_CHECK(!parts.bytes[i]);  // no byte is sent twice
    parts.bytes[i] = true;
  }
  ++parts.count;
}

Parts read_partial(const http::HTTPResponse& response, const File& file) {
  Parts parts{.bytes = std::vector<bool>(file.content.size())};
  std::string_view body = response.body();
  const std::string type = response.headers().get("Content-Type");
  constexpr std::string_view kMultipart = "multipart/byteranges; boundary=";
  if (!type.starts_with(kMultipart)) {
    FUZZ_CHECK(type == "text/plain");
    take_slice(response.headers().get("Content-Range"), body, file, parts);
  } else {
    FUZZ_CHECK(!response.headers().contains("Content-Range"));
    const std::string delimiter = "\r\n--" + type.substr(kMultipart.size());
    FUZZ_CHECK(body.starts_with(delimiter.substr(2)));
    body.remove_prefix(delimiter.size() - 2);
    while (body.starts_with("\r\n")) {
      FUZZ_CHECK(body.starts_with("\r\nContent-Type: text/plain\r\nContent-Range: "));
      take(body, "Content-Range: ");
      const std::string_view content_range = take(body, "\r\n\r\n");
      take_slice(content_range, body, file, parts);
      FUZZ_CHECK(take(body, delimiter).empty());
    }
    FUZZ_CHECK(body == "--\r\n" && parts.count > 1);
    body = {};
  }
  FUZZ_CHECK(body.empty() && parts.count <= kMaxRanges);
  return parts;
}

// ---- Checks.

void check_response(const http::HTTPResponse& response, const File& file, const Values& values,
                    bool is_head) {
  const int status = response.status();
  const auto has = [&](char letter) { return values.contains(letter); };
  const auto is = [&](char letter, std::string_view text) {
    return has(letter) && values.at(letter) == text;
  };
  const auto has_tag = [&](char letter) { return values.at(letter).find(file.etag) != std::string::npos; };
  const bool has_conditions = has('N') || has('M') || has('A') || has('U');

  FUZZ_CHECK(status == 200 || status == 206 || status == 304 || status == 412 || status == 416);
  // A `*` at the beginning is any tag (WEB-76).
  const auto is_any = [&](char letter) { return values.at(letter).starts_with('*'); };
  if (status == 412) FUZZ_CHECK((has('A') && !is_any('A') && !is('A', file.etag)) || has('U'));
  if (has('A') && !is_any('A') && !has_tag('A')) FUZZ_CHECK(status == 412);
  if (status == 304) FUZZ_CHECK(has('N') ? is_any('N') || has_tag('N') : has('M'));
  if (has('N') && !has('A') && !has('U') && (is_any('N') || is('N', file.etag))) FUZZ_CHECK(status == 304);
  if (status == 200) {
    FUZZ_CHECK(response.body() == (is_head ? "" : file.content));
    FUZZ_CHECK(response.headers().get("Content-Length") == std::to_string(file.content.size()));
  }
  if (status == 200 || status == 304 || status == 412)
    FUZZ_CHECK(!response.headers().contains("Content-Range"));
  if (status != 206 && status != 416) {
    // A simple range is answered by itself if nothing else is asked.
    if (has('R') && !has('I') && !has_conditions && !is_head) {
      const auto asked = asked_for(values.at('R'), file.content.size());
      if (asked)
        FUZZ_CHECK(std::find(asked->begin(), asked->end(), false) == asked->end() && !asked->empty());
    }
    return;
  }

  FUZZ_CHECK(has('R') && !is_head);
  if (has('I') && !is('I', file.etag))
    FUZZ_CHECK(http::parse_date(values.at('I')) == http::parse_date(file.time));
  const auto asked = asked_for(values.at('R'), file.content.size());
  if (status == 416) {
    FUZZ_CHECK(response.headers().get("Content-Range") == "bytes */" + std::to_string(file.content.size()));
    if (asked) FUZZ_CHECK(std::find(asked->begin(), asked->end(), true) == asked->end());
    return;
  }
  const Parts parts = read_partial(response, file);
  FUZZ_CHECK(std::find(parts.bytes.begin(), parts.bytes.end(), false) != parts.bytes.end());
  if (asked) FUZZ_CHECK(parts.bytes == *asked);
}

void check(Site& site, std::string_view input) {
  const auto first = static_cast<unsigned char>(input[0]);
  const File& file = site.files[first % site.files.size()];
  const bool is_head = (first & 4) != 0;
  const Values values = values_of(input.substr(1), file);
  testing::RequestOptions options;
  for (const auto& [letter, value] : values) options.headers.emplace_back(header_of(letter), value);
  const http::HTTPResponse response = site.client->request(is_head ? "HEAD" : "GET", file.path, options);
  check_response(response, file, values, is_head);
}

}  // namespace
}  // namespace squall::web

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static squall::web::Site site;
  squall::log::access().set_level(squall::log::Level::critical);
  if (size == 0) return 0;
  squall::web::check(site, {reinterpret_cast<const char*>(data), size});
  return 0;
}
