#include <squall/ioloop/base/log.h>

#include <squall/ioloop/base/utf8.h>
#include <squall/ioloop/base/write_whole.h>

#include <unistd.h>

#include <algorithm>
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

void append_safely(std::string& line, std::string_view text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '\n') {
      line += "\n    ";
      text.remove_prefix(1);
    } else if (const std::size_t length = utf8_length(text); length > 0 && (byte >= 0x20 || byte == '\t')) {
      line += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      // Control characters could drive the reader's terminal.
      line += fmt::format("\\x{:02x}", byte);
      text.remove_prefix(1);
    }
  }
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
  append_safely(line, record.message);
  return line;
}

}  // namespace squall::log

fmt::format_context::iterator fmt::formatter<squall::log::Errno>::format(squall::log::Errno error,
                                                                         fmt::format_context& context) const {
  return std::ranges::copy(std::generic_category().message(error.value), context.out()).out;
}
