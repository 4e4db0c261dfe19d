// Task<T>: a coroutine that ends with a T or with an Error.
//
// A task starts when it is awaited, on its caller's stack, and gives the stack
// back the first time it really has to wait. Awaiting a task yields its T; if the
// task failed, the awaiting task fails with the same Error on the spot, as Rust's
// `?` would. attempt(task) yields a Result<T> instead, for the few places that
// want to look at the error. Destroying a task cancels it and all that it awaits.
// Rule: an await stands alone in its statement and is built from names.
#pragma once
#include <coroutine>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "loop/frame_pool.h"

namespace lockgate::loop {

template <class T>
class Task;

/// Whoever owns a task at the root is told here that it has ended. The task is destroyed later, by its owner.
class Completion {
 public:
  virtual void task_ended() noexcept = 0;

 protected:
  ~Completion() = default;
};

namespace task_detail {

struct PromiseBase {
  static void* operator new(std::size_t size) { return FramePool::take(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { FramePool::give(frame, size); }

  std::coroutine_handle<> self;
  PromiseBase* waiter = nullptr;     // who awaits this task, once it had to wait
  Completion* completion = nullptr;  // or who owns it, at the root
  bool waiter_takes_errors = false;  // the waiter waits through attempt()
  bool finished = false;
  std::optional<Error> error;

  /// Ends this task and says whom to resume: the nearest waiter that wants to know.
  std::coroutine_handle<> finish() noexcept {
    PromiseBase* task = this;
    task->finished = true;
    while (task->error && task->waiter && !task->waiter_takes_errors) {
      task->waiter->error = task->error;
      task = task->waiter;
      task->finished = true;
    }
    if (task->waiter) return task->waiter->self;
    if (task->completion) task->completion->task_ended();
    return std::noop_coroutine();
  }

  std::suspend_always initial_suspend() noexcept { return {}; }
  auto final_suspend() noexcept {
    struct Final {
      PromiseBase& task;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept { return task.finish(); }
      void await_resume() const noexcept {}
    };
    return Final{*this};
  }
  [[noreturn]] void unhandled_exception() noexcept {
    check_failed("a task does not throw", __FILE__, __LINE__);
  }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  void return_value(T given) { value.emplace(std::move(given)); }
  T take() { return std::move(*value); }
};
template <>
struct Promise<void> : PromiseBase {
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace task_detail

/// `co_await fail(...)` ends the awaiting task with that error.
class [[nodiscard]] Failure {
 public:
  explicit Failure(const Error& error) : error_(error) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) const noexcept {
    caller.promise().error = error_;
    return caller.promise().finish();
  }
  [[noreturn]] void await_resume() const noexcept { std::unreachable(); }

 private:
  Error error_;
};
inline Failure fail(const Error& error) { return Failure(error); }
inline Failure fail(Errc code, const char* doing, Detail detail = {}) {
  return Failure(Error{.code = code, .detail = detail, .doing = doing});
}

template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : task_detail::Promise<T> {
    Task get_return_object() {
      this->self = std::coroutine_handle<promise_type>::from_promise(*this);
      return Task(*this);
    }
  };

  Task(Task&& other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (task_) task_->self.destroy();
  }

  bool await_ready() noexcept {
    task_->self.resume();
    return task_->finished && !task_->error;
  }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
    task_detail::PromiseBase& waiter = caller.promise();
    if (task_->finished) {  // failed without ever waiting
      waiter.error = task_->error;
      return waiter.finish();
    }
    task_->waiter = &waiter;
    return std::noop_coroutine();
  }
  T await_resume() { return task_->take(); }

  /// For roots and attempt(): runs until the first wait.
  void start(Completion* completion = nullptr) {
    task_->completion = completion;
    task_->self.resume();
  }
  bool finished() const { return task_->finished; }
  /// Of a finished task.
  Result<T> outcome() {
    if (task_->error) return std::unexpected(*task_->error);
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return task_->take();
    }
  }
  task_detail::PromiseBase& promise() { return *task_; }

 private:
  explicit Task(promise_type& task) : task_(&task) {}
  promise_type* task_;
};

template <class T>
class [[nodiscard]] Attempt {
 public:
  explicit Attempt(Task<T> task) : task_(std::move(task)) {}
  bool await_ready() noexcept {
    task_.start();
    return task_.finished();
  }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) noexcept {
    task_.promise().waiter = &caller.promise();
    task_.promise().waiter_takes_errors = true;
  }
  Result<T> await_resume() { return task_.outcome(); }

 private:
  Task<T> task_;
};

/// `co_await attempt(task)`: the error as a value.
template <class T>
Attempt<T> attempt(Task<T> task) {
  return Attempt<T>(std::move(task));
}

}  // namespace lockgate::loop
