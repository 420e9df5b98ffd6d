// demos/file_upload/main.cc -- receives files of any size over HTTP, and sends them.
#include <squall/ioloop/base/log.h>
#include <squall/iostream/reload/adopt_sockets.h>
#include <squall/options/option_parser.h>

#include <exception>
#include <optional>

#include "receiver.h"
#include "sender.h"

using namespace squall;

int main(int argc, char** argv) {
  upload::ReceiverOptions receiver;
  upload::SenderOptions sender;
  options::OptionParser line("file_upload", "Receives files of any size over HTTP, and sends them.");

  options::OptionParser& receive =
      line.command("receive", "Takes forms with files at POST /post, and single files at PUT /NAME.");
  receive.bind("port", receiver.port, "port to serve on");
  receive.bind("address", receiver.listen.address, "address to serve on");
  receive.bind("folder", receiver.folder,
               "folder for the files, which get new names; without it the bytes are only counted");
  receive.bind("max_size", receiver.max_size, "bytes that one request may have");

  options::OptionParser& send = line.command("send", "Sends files to a receiver.");
  send.bind_argument("files", sender.files, "files to send");
  send.bind("put", sender.put, "one PUT for each file, not one form with all files");
  send.bind("url", sender.url, "URL of the receiver");
  send.bind("timeout", sender.timeout, "seconds for each request; no limit without it")
      .hide_default()
      .non_negative();

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
