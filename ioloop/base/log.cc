#include <squall/ioloop/base/log.h>

#include <squall/ioloop/base/utf8.h>
#include <squall/ioloop/base/write_whole.h>

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <mutex>
#include <stdexcept>

namespace squall::log {
namespace {

constinit Logger g_root("root", nullptr);
constinit Logger g_squall("squall", &g_root);
constinit Logger g_access("squall.access", &g_squall);
constinit Logger g_application("squall.application", &g_squall);
constinit Logger g_general("squall.general", &g_squall);

// One lock for the handler and its output, so that lines never mix. Leaked: threads may log while the
// process exits.
struct Output {
  std::mutex mutex;
  Handler handler;
  bool color = false;
};
Output& output() {
  static auto* instance = new Output;
  return *instance;
}

// This thread runs the handler, and so holds the lock.
constinit thread_local bool t_in_handler = false;

constexpr char kLetters[] = "DIWEC";
constexpr int kColors[] = {4, 2, 3, 1, 5};  // LOG-03

// `web` for `../web/web.cc`: the file's name without its folders and extension.
std::string_view module_of(const char* file) {
  std::string_view name = file;
  if (const auto slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
  return name.substr(0, name.find('.'));
}

// The character at the beginning of `text`, whose UTF-8 takes `length` bytes.
std::uint32_t code_point(std::string_view text, std::size_t length) noexcept {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  if (length == 1) return byte(0);
  std::uint32_t code = byte(0) & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3f);
  return code;
}

// Whether a character could drive the reader's terminal or mislead the reader: control characters but the
// tab, line and paragraph separators, characters that change the direction of the text, and invisible ones.
// ZWNJ and ZWJ are left: words of several languages, and emoji, need them.
bool misleads(std::uint32_t code) noexcept {
  if (code < 0x7f) return code < 0x20 && code != '\t';
  struct Range {
    std::uint32_t first;
    std::uint32_t last;
  };
  constexpr Range kRanges[] = {
      {0x7f, 0x9f},        // DEL, and C1: U+0085 is a line break, U+009B begins an escape sequence
      {0xad, 0xad},        // soft hyphen
      {0x61c, 0x61c},      // Arabic letter mark
      {0x115f, 0x1160},    // Hangul fillers
      {0x180e, 0x180e},    // Mongolian vowel separator
      {0x200b, 0x200b},    // zero width space
      {0x200e, 0x200f},    // left-to-right and right-to-left marks
      {0x2028, 0x202e},    // separators; embeddings and overrides of the direction
      {0x2060, 0x206f},    // invisible operators; isolates of the direction
      {0x3164, 0x3164},    // Hangul filler
      {0xfeff, 0xfeff},    // byte order mark
      {0xffa0, 0xffa0},    // Hangul filler
      {0xfff9, 0xfffb},    // interlinear annotations
      {0xe0000, 0xe0fff},  // tags and other invisible characters
  };
  return std::ranges::any_of(
      kRanges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

void append_escaped(std::string& line, std::uint32_t code) {
  if (code <= 0x7f) {
    line += fmt::format("\\x{:02x}", code);
  } else if (code <= 0xffff) {
    line += fmt::format("\\u{:04x}", code);
  } else {
    line += fmt::format("\\U{:08x}", code);
  }
}

// Printable ASCII, which most text is, is appended at once.
void append_safely(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; });
    const auto printable = static_cast<std::size_t>(end - text.begin());
    line += text.substr(0, printable);
    text.remove_prefix(printable);
    if (text.empty()) return;
    const std::size_t length = utf8_length(text);
    const std::uint32_t code = length > 0 ? code_point(text, length) : 0;
    if (length == 0) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (code == '\n') {
      line += "\n    ";
    } else if (misleads(code)) {
      append_escaped(line, code);
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

// The most bytes of a message that a line has.
constexpr std::size_t kMaxMessage = 8 * 1024;

// Whether a character may begin at `at`.
bool is_boundary(std::string_view text, std::size_t at) noexcept {
  return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
}

// Appends a message; the middle of one that is longer than kMaxMessage is left out.
void append_message(std::string& line, std::string_view message) {
  if (message.size() <= kMaxMessage) return append_safely(line, message);
  std::size_t front = kMaxMessage / 2;
  std::size_t back = message.size() - kMaxMessage / 2;
  for (int i = 0; i < 3 && !is_boundary(message, front); ++i) --front;
  for (int i = 0; i < 3 && !is_boundary(message, back); ++i) ++back;
  append_safely(line, message.substr(0, front));
  line += fmt::format("[... {} of {} bytes are left out ...]", back - front, message.size());
  append_safely(line, message.substr(back));
}

void write_line(const Record& record, bool color) {
  std::string line = format_record(record, color);
  line += '\n';
  // One write, so that lines of several processes on one terminal or pipe do not mix. A failure cannot be
  // reported.
  write_whole(STDERR_FILENO, line);
}

// Gives `record` to the handler. The caller holds the lock.
void handle(const Record& record) {
  if (!output().handler) return write_line(record, output().color);
  t_in_handler = true;
  try {
    output().handler(record);
    t_in_handler = false;
  } catch (...) {
    t_in_handler = false;
    write_line(record, output().color);
  }
}

}  // namespace

Logger& root() noexcept { return g_root; }
Logger& access() noexcept { return g_access; }
Logger& application() noexcept { return g_application; }
Logger& general() noexcept { return g_general; }

void Logger::emit(Level level, std::source_location where, fmt::string_view text,
                  fmt::format_args arguments) const noexcept {
  try {
    std::string message;
    try {
      message = fmt::vformat(text, arguments);
    } catch (const std::exception& error) {
      message = fmt::format("Bad message ({}): {}", error.what(), std::string_view(text.data(), text.size()));
    }
    const Record record{*this, level, where, std::chrono::system_clock::now(), message};
    // The handler itself logs. If it were called again, it might call itself without end.
    if (t_in_handler) return write_line(record, output().color);
    const std::lock_guard lock(output().mutex);
    handle(record);
  } catch (...) {
    // Out of memory: this cannot be reported.
  }
}

Handler set_handler(Handler handler) {
  if (t_in_handler) throw std::logic_error("log::set_handler() called by a log handler");
  const std::lock_guard lock(output().mutex);
  std::swap(output().handler, handler);
  return handler;
}

void print(const Record& record) { write_line(record, output().color); }

void enable_pretty_logging(Level level) {
  root().set_level(level);
  const char* terminal = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  std::unique_lock lock(output().mutex, std::defer_lock);
  if (!t_in_handler) lock.lock();
  output().color = ::isatty(STDERR_FILENO) == 1 && terminal && std::strcmp(terminal, "dumb") != 0 &&
                   !(no_color && *no_color);
}

std::string format_record(const Record& record, bool color) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(record.time);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char time[sizeof "231114 22:13:20"] = "";
  std::strftime(time, sizeof time, "%y%m%d %H:%M:%S", &local);
  const auto index = static_cast<std::size_t>(record.level);
  std::string line;
  if (color) line = fmt::format("\033[2;3{}m", kColors[index]);
  line += fmt::format("[{} {} {}:{}]", kLetters[index], time, module_of(record.where.file_name()),
                      record.where.line());
  if (color) line += "\033[0m";
  line += ' ';
  append_message(line, record.message);
  return line;
}

}  // namespace squall::log

fmt::format_context::iterator fmt::formatter<squall::log::Errno>::format(squall::log::Errno error,
                                                                         fmt::format_context& context) const {
  return std::ranges::copy(std::generic_category().message(error.value), context.out()).out;
}
