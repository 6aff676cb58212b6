// Prints one line with iostreams: what a C++ program has to ship.
#include <iostream>

int main() {
    std::cout << "hello" << std::endl;
    return 0;
}
