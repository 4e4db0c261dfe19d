#include "server/signals.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <csignal>

#include "base/check.h"

namespace lockgate::server {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGHUP, SIGUSR1, SIGTERM, SIGINT}) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::Signals(loop::Reactor& reactor, SignalOwner& owner) : reactor_(reactor), owner_(owner) {
  sigset_t set = watched_signals();
  fd_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  CHECK(fd_);
  CHECK(reactor_.watch(fd_.number(), *this, EPOLLIN | EPOLLET));
}

void Signals::edges(std::uint32_t) { reactor_.enqueue(*this); }

void Signals::run() {
  signalfd_siginfo info{};
  while (::read(fd_.number(), &info, sizeof info) == sizeof info)
    owner_.signalled(static_cast<int>(info.ssi_signo));
}

}  // namespace lockgate::server
