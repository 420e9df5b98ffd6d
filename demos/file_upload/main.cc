// demos/file_upload/main.cc -- receives files of any size over HTTP, and sends them.
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/adopt_sockets.h>

#include <exception>
#include <optional>

#include "command_line.h"
#include "receiver.h"
#include "sender.h"

using namespace squall;

int main(int argc, char** argv) {
  upload::ReceiverOptions receiver;
  upload::SenderOptions sender;
  tools::CommandLine line("file_upload", "Receives files of any size over HTTP, and sends them.");

  tools::CommandLine receive =
      line.command("receive", "Takes forms with files at POST /post, and single files at PUT /NAME.");
  receive.option("--port", receiver.port, "port to serve on").show_default();
  receive.option("--address", receiver.listen.address, "address to serve on").show_default();
  receive.option("--folder", receiver.folder,
                 "folder for the files, which get new names; without it the bytes are only counted");
  receive.option("--max_size", receiver.max_size, "bytes that one request may have").show_default();

  tools::CommandLine send = line.command("send", "Sends files to a receiver.");
  send.option("files", sender.files, "files to send");
  send.flag("--put", sender.put, "one PUT for each file, not one form with all files");
  send.option("--url", sender.url, "URL of the receiver").show_default();
  send.option("--timeout", sender.timeout, "seconds for each request; no limit without it").non_negative();

  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    if (receive.is_chosen()) {
      upload::receive(receiver);
    } else {
      upload::send(sender);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "file_upload: {}\n", error.what());
    return 1;
  }
  return 0;
}
