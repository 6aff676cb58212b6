// C++ with exceptions, threads, iostreams, containers, thread-local objects and static constructors.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {
std::atomic<int> constructed{0}, destroyed{0};

struct Counted {
    Counted() { constructed++; }
    ~Counted() { destroyed++; }
};

Counted at_start;
thread_local Counted per_thread;

int thrower(int depth) {
    Counted local;
    if (depth == 0)
        throw std::runtime_error("from the depth");
    return thrower(depth - 1) + 1;
}

int failures = 0;
void check(bool condition, const char *what) {
    if (!condition) {
        std::cout << "failed: " << what << "\n";
        failures++;
    }
}
} // namespace

int main() {
    check(constructed == 1, "static constructors ran");
    try {
        thrower(10);
        check(false, "the exception arrives");
    } catch (const std::exception &e) {
        check(std::string(e.what()) == "from the depth", "what");
    }
    check(destroyed == 11, "locals were destroyed on the way");

    std::vector<std::thread> threads;
    std::mutex mutex;
    std::map<std::string, int> table;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&, i] {
            (void)&per_thread;
            for (int j = 0; j < 100; j++) {
                std::lock_guard<std::mutex> guard(mutex);
                table["key " + std::to_string(j)] += i;
            }
        });
    for (auto &thread : threads)
        thread.join();
    check(table.size() == 100 && table["key 42"] == 6, "four threads filled the table");

    auto answer = std::async(std::launch::async, [] { return 42; });
    check(answer.get() == 42, "future");
    auto broken = std::async(std::launch::async, []() -> int { throw std::logic_error("in a thread"); });
    try {
        (void)broken.get();
        check(false, "an exception crosses threads");
    } catch (const std::logic_error &) {
    }

    std::condition_variable condition;
    std::unique_lock<std::mutex> lock(mutex);
    check(condition.wait_for(lock, std::chrono::milliseconds(5)) == std::cv_status::timeout, "wait_for");

    std::ostringstream out;
    out << std::setw(8) << std::setfill('*') << 42 << ' ' << std::hex << 255 << ' ' << std::fixed << std::setprecision(3) << 3.14159;
    check(out.str() == "******42 ff 3.142", "formatting");
    std::istringstream in("17 2.5 word");
    int i;
    double d;
    std::string s;
    in >> i >> d >> s;
    check(i == 17 && d == 2.5 && s == "word", "parsing");
    auto shared = std::make_shared<std::string>("shared");
    std::weak_ptr<std::string> weak = shared;
    shared.reset();
    check(weak.expired(), "weak_ptr");
    std::cout << (failures ? "cxx: failures" : "cxx: all right") << std::endl;
    return failures != 0;
}
