/* Sockets of AF_LOCAL: by name and in pairs, with threads, signals, descriptors and credentials. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static struct sockaddr_un name_of(const char *path) {
    struct sockaddr_un sun = {.sun_len = (unsigned char)(2 + strlen(path)), .sun_family = AF_LOCAL};
    strcpy(sun.sun_path, path);
    return sun;
}

static int bound(int type, const char *path) {
    int fd = socket(AF_LOCAL, type, 0);
    struct sockaddr_un sun = name_of(path);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&sun, SUN_LEN(&sun)) == 0);
    return fd;
}

static int reach(int fd, const char *path) {
    struct sockaddr_un sun = name_of(path);
    return connect(fd, (struct sockaddr *)&sun, SUN_LEN(&sun));
}

static volatile sig_atomic_t signals;

static void count(int signo) {
    (void)signo;
    signals++;
}

static void *serve(void *arg) {
    int server = *(int *)arg;
    for (int i = 0; i < 100; i++) {
        struct sockaddr_un from;
        socklen_t len = sizeof from;
        int fd = accept(server, (struct sockaddr *)&from, &len);
        char buf[64];
        ssize_t got;
        while ((got = read(fd, buf, sizeof buf)) > 0)
            CHECK(write(fd, buf, (size_t)got) == got);
        close(fd);
    }
    return NULL;
}

static void by_name(void) {
    int server = bound(SOCK_STREAM, "/tmp/server");
    CHECK(listen(server, 8) == 0);
    struct stat st;
    CHECK(stat("/tmp/server", &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK(fstat(server, &st) == 0 && S_ISSOCK(st.st_mode));
    FAILS(open("/tmp/server", O_RDWR), EOPNOTSUPP);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, serve, &server) == 0);
    for (int i = 0; i < 100; i++) {
        int fd = socket(AF_LOCAL, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(reach(fd, "/tmp/server") == 0);
        CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
        uid_t uid = 99;
        gid_t gid = 99;
        CHECK(getpeereid(fd, &uid, &gid) == 0 && uid == geteuid() && gid == getegid());
        for (int j = 0; j < 10; j++) {
            char buf[16] = {0};
            CHECK(write(fd, "ping-pong", 9) == 9);
            CHECK(recv(fd, buf, 9, MSG_WAITALL) == 9 && memcmp(buf, "ping-pong", 9) == 0);
        }
        CHECK(shutdown(fd, SHUT_WR) == 0);
        char end;
        CHECK(read(fd, &end, 1) == 0);
        close(fd);
    }
    pthread_join(thread, NULL);
    close(server);
    int late = socket(AF_LOCAL, SOCK_STREAM, 0);
    FAILS(reach(late, "/tmp/server"), ECONNREFUSED);
    CHECK(unlink("/tmp/server") == 0);
    FAILS(reach(late, "/tmp/server"), ENOENT);
    close(late);
}

static void *late_writer(void *arg) {
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
    CHECK(write(*(int *)arg, "late", 4) == 4);
    return NULL;
}

static void waiting(void) {
    int pair[2];
    char buf[16];
    pthread_t thread;
    CHECK(socketpair(AF_LOCAL, SOCK_STREAM, 0, pair) == 0);

    CHECK(pthread_create(&thread, NULL, late_writer, &pair[1]) == 0);
    CHECK(read(pair[0], buf, sizeof buf) == 4);
    pthread_join(thread, NULL);

    CHECK(pthread_create(&thread, NULL, late_writer, &pair[1]) == 0);
    struct pollfd pfd = {.fd = pair[0], .events = POLLIN};
    CHECK(poll(&pfd, 1, 5000) == 1 && pfd.revents == POLLIN);
    CHECK(read(pair[0], buf, sizeof buf) == 4);
    pthread_join(thread, NULL);

    CHECK(pthread_create(&thread, NULL, late_writer, &pair[1]) == 0);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pair[0], &set);
    CHECK(select(pair[0] + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(pair[0], &set));
    int there = 0;
    CHECK(ioctl(pair[0], FIONREAD, &there) == 0 && there == 4);
    CHECK(read(pair[0], buf, sizeof buf) == 4);
    pthread_join(thread, NULL);

    int kq = kqueue();
    struct kevent change, event;
    EV_SET(&change, (uintptr_t)pair[0], EVFILT_READ, EV_ADD, 0, 0, 0);
    CHECK(kevent(kq, &change, 1, NULL, 0, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, late_writer, &pair[1]) == 0);
    CHECK(kevent(kq, NULL, 0, &event, 1, NULL) == 1 && event.data == 4 && !(event.flags & EV_EOF));
    pthread_join(thread, NULL);
    CHECK(read(pair[0], buf, sizeof buf) == 4);

    struct timeval limit = {0, 30000};
    CHECK(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    FAILS(read(pair[0], buf, 1), EAGAIN);

    close(pair[1]);
    CHECK(kevent(kq, NULL, 0, &event, 1, NULL) == 1 && event.flags & EV_EOF);
    CHECK(read(pair[0], buf, sizeof buf) == 0);
    close(kq);
    close(pair[0]);
}

static void interrupted(void) {
    int pair[2];
    char byte;
    CHECK(socketpair(AF_LOCAL, SOCK_STREAM, 0, pair) == 0);
    struct sigaction action = {.sa_handler = count};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGPIPE, &action, NULL) == 0);
    struct itimerval timer = {.it_value = {0, 20000}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    FAILS(recv(pair[0], &byte, 1, 0), EINTR);
    CHECK(signals == 1);
    close(pair[1]);
    FAILS(write(pair[0], "x", 1), EPIPE);
    CHECK(signals == 2);
    FAILS(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK(signals == 2);
    close(pair[0]);
    CHECK(socketpair(AF_LOCAL, SOCK_STREAM | SOCK_NOSIGPIPE | SOCK_NONBLOCK, 0, pair) == 0);
    FAILS(read(pair[0], &byte, 1), EAGAIN);
    close(pair[1]);
    FAILS(write(pair[0], "x", 1), EPIPE);
    CHECK(signals == 2);
    close(pair[0]);
}

static void descriptors(void) {
    int pair[2], pipes[2];
    CHECK(socketpair(AF_LOCAL, SOCK_SEQPACKET, 0, pair) == 0 && pipe(pipes) == 0);
    char data = 'd', control[CMSG_SPACE(sizeof(int) * 2)];
    struct iovec iov = {&data, 1};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_len = CMSG_LEN(sizeof(int) * 2);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(cmsg), pipes, sizeof pipes);
    CHECK(sendmsg(pair[0], &msg, 0) == 1);
    close(pipes[0]);
    close(pipes[1]);
    memset(control, 0, sizeof control);
    msg.msg_controllen = sizeof control;
    CHECK(recvmsg(pair[1], &msg, 0) == 1 && msg.msg_flags == 0);
    cmsg = CMSG_FIRSTHDR(&msg);
    CHECK(cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS && cmsg->cmsg_len == CMSG_LEN(sizeof pipes));
    memcpy(pipes, CMSG_DATA(cmsg), sizeof pipes);
    char buf[8];
    CHECK(write(pipes[1], "through", 7) == 7 && read(pipes[0], buf, 8) == 7);
    close(pipes[0]);
    close(pipes[1]);

    int on = 1;
    CHECK(setsockopt(pair[1], 0, LOCAL_CREDS, &on, sizeof on) == 0);
    char creds[CMSG_SPACE(SOCKCREDSIZE(16))];
    msg.msg_control = NULL;
    msg.msg_controllen = 0;
    CHECK(sendmsg(pair[0], &msg, 0) == 1);
    msg.msg_control = creds;
    msg.msg_controllen = sizeof creds;
    CHECK(recvmsg(pair[1], &msg, 0) == 1);
    cmsg = CMSG_FIRSTHDR(&msg);
    CHECK(cmsg != NULL && cmsg->cmsg_type == SCM_CREDS);
    struct sockcred cred;
    memcpy(&cred, CMSG_DATA(cmsg), sizeof cred);
    CHECK(cred.sc_pid == getpid() && cred.sc_uid == getuid() && cred.sc_egid == getegid());
    close(pair[0]);
    close(pair[1]);
}

static void datagrams(void) {
    int a = bound(SOCK_DGRAM, "/tmp/a"), b = bound(SOCK_DGRAM, "/tmp/b");
    struct sockaddr_un to = name_of("/tmp/a"), from;
    CHECK(sendto(b, "hello", 5, 0, (struct sockaddr *)&to, SUN_LEN(&to)) == 5);
    char buf[32];
    socklen_t len = sizeof from;
    CHECK(recvfrom(a, buf, sizeof buf, 0, (struct sockaddr *)&from, &len) == 5);
    CHECK(len == 2 + 6 && memcmp(from.sun_path, "/tmp/b", 6) == 0);
    CHECK(reach(b, "/tmp/a") == 0);
    struct mmsghdr many[3];
    struct iovec iov[3];
    memset(many, 0, sizeof many);
    for (int i = 0; i < 3; i++) {
        iov[i] = (struct iovec){buf, (size_t)i + 1};
        many[i].msg_hdr.msg_iov = &iov[i];
        many[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK(sendmmsg(b, many, 3, 0) == 3);
    for (int i = 0; i < 3; i++)
        iov[i].iov_len = sizeof buf;
    CHECK(recvmmsg(a, many, 3, MSG_DONTWAIT, NULL) == 3);
    CHECK(many[0].msg_len == 1 && many[1].msg_len == 2 && many[2].msg_len == 3);
    FAILS(recv(a, buf, 1, MSG_DONTWAIT), EAGAIN);
    close(a);
    FAILS(send(b, buf, 1, 0), ECONNRESET);
    close(b);
}

static void *drain(void *arg) {
    static char buf[65536];
    unsigned expected = 0;
    ssize_t got;
    while ((got = read(*(int *)arg, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < got; i++)
            if ((unsigned char)buf[i] != expected++ % 251) {
                CHECK(!"the bytes in order");
                return NULL;
            }
    CHECK(expected == 16u << 20);
    return NULL;
}

static void much(void) {
    static char buf[1 << 20];
    int pair[2];
    pthread_t thread;
    CHECK(socketpair(AF_LOCAL, SOCK_STREAM, 0, pair) == 0);
    CHECK(pthread_create(&thread, NULL, drain, &pair[0]) == 0);
    for (unsigned i = 0, next = 0; i < 16; i++) {
        for (size_t j = 0; j < sizeof buf; j++)
            buf[j] = (char)(next++ % 251);
        CHECK(write(pair[1], buf, sizeof buf) == sizeof buf);
    }
    close(pair[1]);
    pthread_join(thread, NULL);
    close(pair[0]);
}

int main(void) {
    by_name();
    waiting();
    interrupted();
    descriptors();
    datagrams();
    much();
    return verdict("socket_local");
}
