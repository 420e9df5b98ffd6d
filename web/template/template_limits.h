#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace squall::web {

// Bounds of one run of a template. The default is no bound, for your own templates: set both bounds for
// templates that users write. A run beyond a bound throws a TemplateRunError of TemplateFault::limit.
struct TemplateLimits {
  // A step is one instruction, one item that a function or an operator looks at or makes, or 16 bytes of a
  // text that it reads or makes. Steps bound the time, and the memory of values: a million steps take some
  // 20 ms, and make values of at most some 300 MB.
  std::optional<std::uint64_t> max_steps{};
  // Bytes of output, and of each text that `{% apply %}` collects.
  std::optional<std::size_t> max_output{};
};

namespace detail {

// How deep parts of a template may be nested, so that no template overflows the stack: expressions, blocks,
// and files that extend or include one another. And the most instructions of a template with all its files,
// so that files that include each other twice do not fill the memory.
inline constexpr std::size_t kMostExpressionDepth = 200;
inline constexpr std::size_t kMostBlockDepth = 100;
inline constexpr std::size_t kMostFileDepth = 50;
inline constexpr std::size_t kMostFiles = 1'000;
inline constexpr std::size_t kMostNamedArguments = 1'000;
inline constexpr std::size_t kMostInstructions = 1'000'000;

}  // namespace detail
}  // namespace squall::web
