// Other programs as peers: started, talked to through pipes, and ended by their process id, never by name.
//
//   test::ChildProcess server({"openssl", "s_server", "-accept", "127.0.0.1:0", ...});
//   server.wait_for_text("ACCEPT ");
//   ... server.output() holds what it has written to stdout and stderr ...
//   // the destructor kills it
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ; // POSIX leaves its declaration to the program

namespace test {

/// What the program writes, in pieces as they come. Called from a thread of the ChildProcess.
using OutputSink = std::function<void(std::string_view piece)>;

/// A child process with pipes for all three standard streams.
class ChildProcess {
public:
  /// Starts a program, looked up in PATH, with the environment of this process and `environment` on top. `sink`, when
  /// there is one, gets what comes on stdout (for bulk data); everything else is kept in output().
  explicit ChildProcess(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
                        OutputSink sink = {})
      : sink_(std::move(sink)) {
    // A write to a child that has ended must be an error, not the end of this process.
    (void)std::signal(SIGPIPE, SIG_IGN);
    Pipe in;
    Pipe out;
    Pipe err;
    posix_spawn_file_actions_t actions;
    check(posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
    check(posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO), "adddup2");
    check(posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO), "adddup2");
    check(posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO), "adddup2");
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (const std::string& entry : environment)
      envp.push_back(const_cast<char*>(entry.c_str()));
    for (char** entry = environ; *entry != nullptr; ++entry)
      if (!overridden(*entry, environment))
        envp.push_back(*entry);
    envp.push_back(nullptr);
    const int failed = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
    (void)posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
      pid_ = -1;
      throw std::runtime_error("cannot start " + arguments.at(0));
    }
    stdin_ = std::exchange(in.write, -1);
    stdout_reader_ = std::thread([this, descriptor = std::exchange(out.read, -1)] { drain(descriptor, true); });
    stderr_reader_ = std::thread([this, descriptor = std::exchange(err.read, -1)] { drain(descriptor, false); });
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    kill();
    close_stdin();
    (void)wait();
    stdout_reader_.join();
    stderr_reader_.join();
  }

  /// Whether a program can be started at all: it runs and exits with 0.
  [[nodiscard]] static bool runs(const std::vector<std::string>& arguments) {
    try {
      ChildProcess child(arguments);
      child.close_stdin();
      return child.wait() == 0;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  /// Writes all of it to the child's stdin; false when the child does not read any more.
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(stdin_, text.data(), text.size());
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void close_stdin() {
    if (stdin_ >= 0)
      (void)::close(std::exchange(stdin_, -1));
  }

  /// Ends it at once, as a crash would.
  void kill() {
    if (pid_ > 0 && !status_)
      (void)::kill(pid_, SIGKILL);
  }
  /// Asks it to end (SIGTERM), waits until it has, and until all of its output is in output().
  void terminate() {
    if (pid_ > 0 && !ended())
      (void)::kill(pid_, SIGTERM);
    (void)wait();
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, std::chrono::seconds(20), [&] { return ended_streams_ == 2; });
  }
  /// Waits for its end. The exit status; 128 and the signal's number when a signal ended it.
  int wait() {
    if (!status_ && pid_ > 0) {
      int status = 0;
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return status_.value_or(127);
  }
  [[nodiscard]] bool ended() {
    if (status_)
      return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_)
      return false;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }

  /// What it has written so far.
  [[nodiscard]] std::string output() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  /// Waits until the output contains a text, at `from` or behind it; false after `seconds`, or when the child's output
  /// has ended without it.
  [[nodiscard]] bool wait_for_text(std::string_view wanted, std::size_t from = 0, int seconds = 20) const {
    std::unique_lock lock(mutex_);
    const auto found = [&] { return text_.find(wanted, from) != std::string::npos; };
    (void)changed_.wait_for(lock, std::chrono::seconds(seconds), [&] { return found() || ended_streams_ == 2; });
    return found();
  }

private:
  /// Both ends; what is not taken out is closed.
  struct Pipe {
    int read = -1;
    int write = -1;
    Pipe() {
      int ends[2];
      check(::pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno, "pipe2");
      read = ends[0];
      write = ends[1];
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
      for (const int end : {read, write})
        if (end >= 0)
          (void)::close(end);
    }
  };

  static void check(int failed, const char* what) {
    if (failed != 0)
      throw std::runtime_error(std::string(what) + " failed");
  }

  static bool overridden(std::string_view entry, const std::vector<std::string>& by) {
    return std::any_of(by.begin(), by.end(), [&](const std::string& other) {
      return entry.starts_with(std::string_view(other).substr(0, other.find('=') + 1));
    });
  }

  void drain(int descriptor, bool bulk) {
    std::vector<char> buffer(65'536);
    for (;;) {
      const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        break;
      const std::string_view piece(buffer.data(), static_cast<std::size_t>(count));
      if (bulk && sink_) {
        sink_(piece);
        continue;
      }
      const std::lock_guard lock(mutex_);
      text_.append(piece);
      changed_.notify_all();
    }
    (void)::close(descriptor);
    const std::lock_guard lock(mutex_);
    ++ended_streams_;
    changed_.notify_all();
  }

  OutputSink sink_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::optional<int> status_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string text_;
  int ended_streams_ = 0;
  std::thread stdout_reader_;
  std::thread stderr_reader_;
};

/// A port of 127.0.0.1 that nobody listens on. For programs that cannot say which port they got. It lies below the
/// ports that the system gives to outgoing connections: otherwise a client that dials before the server listens could,
/// by rare accident, be connected to itself.
[[nodiscard]] inline std::uint16_t unused_port() {
  static std::uint32_t next = static_cast<std::uint32_t>(::getpid()) * 7919U;
  for (int tries = 0; tries < 1'000; ++tries) {
    next = next * 1'664'525U + 1'013'904'223U;
    const auto port = static_cast<std::uint16_t>(20'000U + (next >> 8U) % 12'000U);
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    (void)::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    const bool free = ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    (void)::close(descriptor);
    if (free)
      return port;
  }
  throw std::runtime_error("no unused port");
}

} // namespace test
