// Key logs: the form of a line, and files that hold nothing but whole lines, for nobody but their owner.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tlsconnect/client/key_log.hpp>
#include <tlsconnect/key_log_file.hpp>

namespace tls = tlsconnect;

namespace {

// One block of the heap that is looked at once more, just before it is given back.
const void* watched_block = nullptr;
std::size_t watched_size = 0;
int blocks_wiped = 0;
int blocks_left = 0;

void give_back(void* block) noexcept {
  if (block != nullptr && block == watched_block) {
    const auto* const bytes = static_cast<const unsigned char*>(block);
    const bool wiped = std::all_of(bytes, bytes + watched_size, [](unsigned char byte) { return byte == 0; });
    ++(wiped ? blocks_wiped : blocks_left);
    watched_block = nullptr;
  }
  std::free(block);
}

} // namespace

void* operator new(std::size_t size) {
  if (void* const block = std::malloc(size == 0 ? 1 : size))
    return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { give_back(block); }

namespace {

/// A folder that is gone after the test.
class Folder {
public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tlsconnect-key-log-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

unsigned mode_of(const std::string& path) {
  struct stat facts{};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777U;
}

std::shared_ptr<tls::KeyLogFile> opened(const std::string& path) {
  auto file = tls::KeyLogFile::open(path);
  INFO((file ? std::string() : file.error().message()));
  REQUIRE(file);
  REQUIRE(*file);
  return *file;
}

class Lines final : public tls::KeyLog {
public:
  void write(std::string_view line) noexcept override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

/// Reads from a pipe until `size` bytes are there, or nothing comes for five seconds.
std::string read_from(int descriptor, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    pollfd entry{descriptor, POLLIN, 0};
    if (::poll(&entry, 1, 5'000) <= 0)
      break;
    char buffer[4096];
    const ssize_t count = ::read(descriptor, buffer, std::min(sizeof buffer, size - out.size()));
    if (count <= 0)
      break;
    out.append(buffer, static_cast<std::size_t>(count));
  }
  return out;
}

void nothing(int /*signal*/) {}

} // namespace

TEST_CASE("a line of a key log has the form of RFC 9850") {
  tls::ByteVector random(32);
  for (std::size_t i = 0; i < random.size(); ++i)
    random[i] = static_cast<std::uint8_t>(0xF0 + i);
  const tls::ByteVector secret{0x00, 0x01, 0x9A, 0xFF};
  const std::string line = tls::key_log_line(tls::key_log_labels::exporter, random, secret);
  CHECK(line == "EXPORTER_SECRET f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f 00019aff");
  // Made in one piece: what is wiped is all there ever was.
  CHECK(line.capacity() == line.size());

  Lines sink;
  tls::log_secret(sink, tls::key_log_labels::client_random, random, secret);
  tls::log_secret(sink, tls::key_log_labels::exporter, random, secret);
  REQUIRE(sink.lines.size() == 2);
  CHECK(sink.lines[0] == tls::key_log_line("CLIENT_RANDOM", random, secret));
  CHECK(sink.lines[1] == line);
}

TEST_CASE("labels are those of RFC 9850") {
  namespace labels = tls::key_log_labels;
  CHECK(labels::client_early_traffic == "CLIENT_EARLY_TRAFFIC_SECRET");
  CHECK(labels::early_exporter == "EARLY_EXPORTER_SECRET");
  CHECK(labels::client_handshake_traffic == "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
  CHECK(labels::server_handshake_traffic == "SERVER_HANDSHAKE_TRAFFIC_SECRET");
  CHECK(labels::client_application_traffic == "CLIENT_TRAFFIC_SECRET_0");
  CHECK(labels::server_application_traffic == "SERVER_TRAFFIC_SECRET_0");
  CHECK(labels::exporter == "EXPORTER_SECRET");
  CHECK(labels::client_random == "CLIENT_RANDOM");
}

TEST_CASE("the line is wiped when the sink has had it") {
  class Watching final : public tls::KeyLog {
  public:
    void write(std::string_view line) noexcept override {
      seen = line.size();
      watched_block = line.data();
      watched_size = line.size();
    }
    std::size_t seen = 0;
  };
  Watching sink;
  const tls::ByteVector random(32, 0x11);
  const tls::ByteVector secret(32, 0xEE);
  blocks_wiped = 0;
  blocks_left = 0;
  tls::log_secret(sink, "LABEL", random, secret);
  CHECK(sink.seen == 5 + 1 + 64 + 1 + 64);
  CHECK(blocks_wiped == 1);
  CHECK(blocks_left == 0);
}

TEST_CASE("a key log file is for its owner alone, and only ever grows") {
  const Folder folder;
  const std::string path = folder.file("keys.log");
  const ::mode_t before = ::umask(0);
  {
    const auto file = opened(path);
    CHECK(mode_of(path) == 0600);
    file->write("one");
    CHECK(content_of(path) == "one\n"); // at once: nothing is held back
    file->write("two");
    CHECK_FALSE(file->incomplete());
  }
  ::umask(before);
  CHECK(content_of(path) == "one\ntwo\n");
  opened(path)->write("three");
  CHECK(content_of(path) == "one\ntwo\nthree\n");

  // Somebody else's choice of a mode stays.
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  opened(path)->write("");
  CHECK(mode_of(path) == 0640);
  CHECK(content_of(path) == "one\ntwo\nthree\n\n");

  // One that was made shorter meanwhile is gone on with at its end.
  const auto file = opened(path);
  file->write("four");
  REQUIRE(::truncate(path.c_str(), 4) == 0);
  file->write("five");
  CHECK(content_of(path) == "one\nfive\n");
}

TEST_CASE("a key log file is not passed on to other programs, and closed at the end") {
  const Folder folder;
  const std::string path = folder.file("keys.log");
  // Whoever opens next gets the lowest number that is free.
  const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(lowest >= 0);
  ::close(lowest);
  {
    const auto file = opened(path);
    const int flags = ::fcntl(lowest, F_GETFD);
    REQUIRE(flags >= 0);
    CHECK((flags & FD_CLOEXEC) != 0);
  }
  CHECK(::fcntl(lowest, F_GETFD) < 0);
}

TEST_CASE("a key log file that cannot be opened is an error") {
  const Folder folder;
  const auto none = tls::KeyLogFile::open(folder.file("nowhere") + "/keys.log");
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == tls::ErrorCode::configuration_invalid);
  CHECK(none.error().os_error() == ENOENT);
  CHECK(none.error().message().find("nowhere/keys.log") != std::string::npos);
  const auto itself = tls::KeyLogFile::open(folder.file("."));
  REQUIRE_FALSE(itself);
  CHECK(itself.error().os_error() == EISDIR);
  // Not the file whose name ends at the zero.
  const auto cut = tls::KeyLogFile::open(folder.file("keys") + std::string("\0.log", 5));
  REQUIRE_FALSE(cut);
  CHECK(cut.error().code() == tls::ErrorCode::configuration_invalid);
  CHECK_FALSE(std::filesystem::exists(folder.file("keys")));
}

TEST_CASE("lines of threads and of several files do not mix") {
  const Folder folder;
  const std::string path = folder.file("keys.log");
  constexpr int threads = 4;
  constexpr int lines = 2'000;
  {
    const auto one = opened(path);
    const auto other = opened(path);
    std::vector<std::thread> running;
    for (int number = 0; number < threads; ++number)
      running.emplace_back([&, number] {
        const auto& file = number % 2 == 0 ? one : other;
        for (int line = 0; line < lines; ++line)
          file->write(std::string(1, static_cast<char>('a' + number)) +
                      std::string(150, static_cast<char>('A' + number)));
      });
    for (std::thread& thread : running)
      thread.join();
    CHECK_FALSE(one->incomplete());
    CHECK_FALSE(other->incomplete());
  }
  std::istringstream content(content_of(path));
  std::vector<int> seen(threads, 0);
  bool whole = true;
  for (std::string line; std::getline(content, line);) {
    const int number = line.empty() ? -1 : line[0] - 'a';
    whole =
        whole && number >= 0 && number < threads && line.substr(1) == std::string(150, static_cast<char>('A' + number));
    if (whole)
      ++seen[static_cast<std::size_t>(number)];
  }
  CHECK(whole);
  CHECK(seen == std::vector<int>(threads, lines));
}

TEST_CASE("a key log on a full disk says that it is incomplete") {
  if (!std::filesystem::exists("/dev/full"))
    SKIP("this system has no device that is always full");
  const auto file = opened("/dev/full");
  CHECK_FALSE(file->incomplete());
  file->write("lost");
  CHECK(file->incomplete());
}

TEST_CASE("signals do not cost a key log its lines") {
  struct sigaction action{};
  action.sa_handler = nothing; // without SA_RESTART: calls that wait are broken off
  struct sigaction before{};
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  const Folder folder;
  const std::string path = folder.file("pipe");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  const auto file = opened(path);
  const auto waiting = [reader] {
    int count = 0;
    return ::ioctl(reader, FIONREAD, &count) == 0 ? count : -1;
  };
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };

  // A line that is longer than the pipe: the signal comes when a part of it is written.
  const std::string longest(300'000, 'x');
  {
    std::thread writer([&] { file->write(longest); });
    while (waiting() < 4'096)
      pause();
    pause();
    ::pthread_kill(writer.native_handle(), SIGUSR1);
    CHECK(read_from(reader, longest.size() + 1) == longest + "\n");
    writer.join();
  }

  // A line for which there is no room at all: the signal comes when nothing of it is written.
  const int filler = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(filler >= 0);
  const std::string some(4'096, 'f');
  while (::write(filler, some.data(), some.size()) > 0)
    continue;
  const auto filled = static_cast<std::size_t>(waiting());
  {
    std::thread writer([&] { file->write("short"); });
    pause();
    ::pthread_kill(writer.native_handle(), SIGUSR1);
    pause();
    CHECK(read_from(reader, filled + 6) == std::string(filled, 'f') + "short\n");
    writer.join();
  }
  CHECK_FALSE(file->incomplete());
  ::close(filler);
  ::close(reader);
  REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
}
