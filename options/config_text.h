#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace squall::options {

// One `name = value` of a config file.
struct ConfigEntry {
  std::string name;
  std::vector<std::string> values;  // one, or the elements of a list in brackets
  bool is_list = false;             // the value has brackets
  std::size_t line = 0;             // from 1: the line of the name
};

// Reads a config file. Nothing in it is executed (OPT-09).
//
//     # A comment.
//     port = 8888
//     name = "A \"shop\"\n"           # escapes: \" \\ \n \r \t \$
//     pattern = '^\d+$'               # between single quotes all characters stand for themselves
//     hosts = ["a.example", b.example,  # a list, which may go on in further lines
//              "c.example"]
//     pages = ${config_dir}/pages
//
// A value without quotes ends at the end of its line, or at a space and `#`; in a list also at a comma or a
// bracket. `${config_file}` and `${config_dir}` are the absolute path of the file and of its folder, except
// between single quotes; links in them are not resolved. Names have letters, digits, `_` and `-`.
//
// `path` names the file in messages; `absolute_path` is what `${config_file}` stands for. Time is linear.
//
// Errors:    Error with file and line, for a line of any other form, and for text that is not UTF-8 or has
//            control characters.
std::vector<ConfigEntry> parse_config(std::string_view text, std::string_view path,
                                      std::string_view absolute_path);

}  // namespace squall::options
