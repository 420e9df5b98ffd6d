#include <squall/web/locale/plural_rule.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/locale/translation_error.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace squall::web::detail {

// A parser by precedence that writes the instructions as it reads.
class PluralRule::Compiler {
 public:
  explicit Compiler(std::string_view text) : text_(text) {}

  std::vector<Instruction> compile() {
    if (text_.size() > kMostText) fail(fmt::format("is longer than {} bytes", kMostText));
    choice();
    skip_spaces();
    if (at_ != text_.size()) fail(fmt::format("has an unexpected '{}' at {}", text_[at_], at_));
    return std::move(program_);
  }

 private:
  struct Binary {
    std::string_view sign;
    int precedence;
    Operation operation;
  };
  // `<=` before `<`: the first sign that the text begins with counts.
  static constexpr std::array<Binary, 11> kBinary{{{"==", 3, Operation::equal},
                                                   {"!=", 3, Operation::unequal},
                                                   {"<=", 4, Operation::at_most},
                                                   {">=", 4, Operation::at_least},
                                                   {"<", 4, Operation::less},
                                                   {">", 4, Operation::greater},
                                                   {"+", 5, Operation::add},
                                                   {"-", 5, Operation::subtract},
                                                   {"*", 6, Operation::multiply},
                                                   {"/", 6, Operation::divide},
                                                   {"%", 6, Operation::remainder}}};

  // Counts the recursion of the parser.
  class Level {
   public:
    explicit Level(Compiler& compiler) : compiler_(compiler) {
      if (++compiler_.depth_ > kMostDepth) compiler_.fail("is nested too deeply");
    }
    ~Level() { --compiler_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Compiler& compiler_;
  };

  [[noreturn]] void fail(std::string_view reason) const {
    throw TranslationError(fmt::format("the plural expression '{}' {}", text_.substr(0, kMostText), reason));
  }

  void skip_spaces() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view sign) noexcept {
    skip_spaces();
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void need(std::string_view sign) {
    if (!take(sign)) fail(fmt::format("needs a '{}' at {}", sign, at_));
  }

  void emit(Operation operation, std::uint64_t operand = 0) {
    switch (operation) {
      case Operation::constant:
      case Operation::count:
        if (++values_ > kMostValues) fail("is nested too deeply");
        break;
      case Operation::jump:
      case Operation::logical_not: break;
      default: --values_;  // takes one value, or puts one in the place of two
    }
    program_.push_back({operation, operand});
  }
  // A jump whose target land() sets.
  std::size_t emit_jump(Operation operation) {
    emit(operation);
    return program_.size() - 1;
  }
  void land(std::size_t jump) { program_[jump].operand = program_.size(); }
  // Writes the instructions of two branches, of which one runs and leaves its value. The last value is the
  // condition.
  template <class Then, class Else>
  void branch(Then then, Else otherwise) {
    const std::size_t to_else = emit_jump(Operation::jump_if_zero);
    then();
    const std::size_t to_end = emit_jump(Operation::jump);
    land(to_else);
    --values_;
    otherwise();
    land(to_end);
  }
  void truth_of_last() {
    emit(Operation::logical_not);
    emit(Operation::logical_not);
  }

  // a ? b : c
  void choice() {
    const Level level(*this);
    either();
    if (!take("?")) return;
    branch([this] { choice(); },
           [this] {
             need(":");
             choice();
           });
  }
  // a || b
  void either() {
    both();
    while (take("||")) {
      branch([this] { emit(Operation::constant, 1); },
             [this] {
               both();
               truth_of_last();
             });
    }
  }
  // a && b
  void both() {
    binary(3);
    while (take("&&")) {
      branch(
          [this] {
            binary(3);
            truth_of_last();
          },
          [this] { emit(Operation::constant, 0); });
    }
  }
  // Operators of at least this precedence. The operators of one precedence group from the left.
  void binary(int precedence) {
    if (precedence > 6) return operand();
    binary(precedence + 1);
    for (;;) {
      const auto* const found = std::find_if(kBinary.begin(), kBinary.end(),
                                             [&](const Binary& binary) { return take_sign(binary); });
      if (found == kBinary.end()) return;
      if (found->precedence != precedence) {
        at_ -= found->sign.size();
        return;
      }
      binary(precedence + 1);
      emit(found->operation);
    }
  }
  bool take_sign(const Binary& binary) noexcept { return take(binary.sign); }

  void operand() {
    const Level level(*this);
    skip_spaces();
    if (take("!")) {
      operand();
      return emit(Operation::logical_not);
    }
    if (take("(")) {
      choice();
      return need(")");
    }
    if (take("n")) return emit(Operation::count);
    std::uint64_t number = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    if (error == std::errc::result_out_of_range) fail(fmt::format("has a number beyond 64 bits at {}", at_));
    if (error != std::errc()) fail(fmt::format("needs a number, 'n', '!' or '(' at {}", at_));
    at_ += static_cast<std::size_t>(end - begin);
    emit(Operation::constant, number);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;  // on the machine's stack, behind the instructions so far
  std::vector<Instruction> program_;
};

PluralRule::PluralRule() : PluralRule("nplurals=2; plural=n != 1") {}

PluralRule::PluralRule(std::string_view header) {
  std::optional<std::string_view> forms;
  std::optional<std::string_view> expression;
  for (std::string_view rest = header; !rest.empty();) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = strip(part.substr(0, equals));
    const std::string_view value = strip(part.substr(std::min(equals + 1, part.size())));
    if (name == "nplurals") forms = value;
    if (name == "plural") expression = value;
  }
  if (!forms || !expression) throw TranslationError("Plural-Forms needs nplurals= and plural=");
  const auto [end, error] = std::from_chars(forms->data(), forms->data() + forms->size(), forms_);
  if (error != std::errc() || end != forms->data() + forms->size() || forms_ == 0 || forms_ > kMostForms)
    throw TranslationError(
        fmt::format("Plural-Forms needs an nplurals from 1 to {}, and has '{}'", kMostForms, *forms));
  program_ = Compiler(*expression).compile();
}

// False for a division by zero.
bool PluralRule::combine(Operation operation, std::uint64_t& left, std::uint64_t right) noexcept {
  switch (operation) {
    case Operation::equal: left = left == right; break;
    case Operation::unequal: left = left != right; break;
    case Operation::less: left = left < right; break;
    case Operation::greater: left = left > right; break;
    case Operation::at_most: left = left <= right; break;
    case Operation::at_least: left = left >= right; break;
    case Operation::add: left += right; break;
    case Operation::subtract: left -= right; break;
    case Operation::multiply: left *= right; break;
    case Operation::divide:
      if (right == 0) return false;
      left /= right;
      break;
    case Operation::remainder:
      if (right == 0) return false;
      left %= right;
      break;
    default: break;
  }
  return true;
}

std::optional<std::size_t> PluralRule::form_of(std::uint64_t count) const noexcept {
  std::array<std::uint64_t, kMostValues> values{};
  std::size_t size = 0;
  for (std::size_t at = 0; at < program_.size(); ++at) {
    const Instruction& instruction = program_[at];
    switch (instruction.operation) {
      case Operation::constant: values[size++] = instruction.operand; break;
      case Operation::count: values[size++] = count; break;
      case Operation::logical_not: values[size - 1] = values[size - 1] == 0; break;
      case Operation::jump: at = instruction.operand - 1; break;
      case Operation::jump_if_zero:
        if (values[--size] == 0) at = instruction.operand - 1;
        break;
      default:
        --size;
        if (!combine(instruction.operation, values[size - 1], values[size])) return std::nullopt;
    }
  }
  if (values[0] >= forms_) return std::nullopt;
  return values[0];
}

}  // namespace squall::web::detail
