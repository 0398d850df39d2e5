"""Names that are there, but not for a checker: of another system, put there by a host, of Python 2."""

from __future__ import annotations

from ...context.records.record import names

# What is there on another system than this one, by module.
ELSEWHERE = {
    "os": names("""
        startfile add_dll_directory O_BINARY O_NOINHERIT O_SEQUENTIAL O_RANDOM O_TEMPORARY
        O_SHORT_LIVED getuid geteuid getgid getegid fork forkpty setsid chown lchown chroot mkfifo
        getpgid killpg uname getloadavg nice sched_getaffinity sched_setaffinity setuid setgid
        statvfs openpty lchflags chflags lchmod plock P_DETACH P_OVERLAY get_handle_inheritable
        set_handle_inheritable posix_fadvise getresuid WIFEXITED WEXITSTATUS WTERMSIG WIFSIGNALED
        sendfile getrandom memfd_create eventfd
    """),
    "ctypes": names("""
        windll oledll WinDLL OleDLL WinError FormatError GetLastError get_last_error set_last_error
        WINFUNCTYPE HRESULT DllCanUnloadNow
    """),
    "signal": names("""
        CTRL_C_EVENT CTRL_BREAK_EVENT SIGBREAK SIGALRM SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGCHLD
        SIGQUIT SIGPIPE SIGWINCH SIGTSTP SIGCONT alarm setitimer pause SIGINFO SIGEMT siginterrupt
        pthread_kill
    """),
    "subprocess": names("""
        STARTUPINFO STARTF_USESHOWWINDOW STARTF_USESTDHANDLES SW_HIDE CREATE_NO_WINDOW
        CREATE_NEW_CONSOLE CREATE_NEW_PROCESS_GROUP DETACHED_PROCESS HIGH_PRIORITY_CLASS
        IDLE_PRIORITY_CLASS BELOW_NORMAL_PRIORITY_CLASS ABOVE_NORMAL_PRIORITY_CLASS
        NORMAL_PRIORITY_CLASS REALTIME_PRIORITY_CLASS CREATE_DEFAULT_ERROR_MODE
        CREATE_BREAKAWAY_FROM_JOB STD_INPUT_HANDLE STD_OUTPUT_HANDLE STD_ERROR_HANDLE
    """),
    "asyncio": names("""
        WindowsSelectorEventLoopPolicy WindowsProactorEventLoopPolicy ProactorEventLoop IocpProactor
        get_child_watcher set_child_watcher SafeChildWatcher ThreadedChildWatcher
    """),
    "socket": names("""
        SIO_RCVALL SIO_KEEPALIVE_VALS RCVALL_ON RCVALL_OFF SO_EXCLUSIVEADDRUSE AF_UNIX SO_REUSEPORT
        fromshare AF_NETLINK AF_PACKET AF_VSOCK AF_BLUETOOTH TCP_KEEPALIVE TCP_KEEPIDLE
        SO_BINDTODEVICE AF_SYSTEM
    """),
    "sys": names("""
        getwindowsversion winver dllhandle pypy_version_info pypy_translation_info setdlopenflags
        getandroidapilevel _framework gettotalrefcount getobjects _git exc_clear exc_type
        setdefaultencoding maxint subversion _MEIPASS frozen ps1 ps2 last_exc setcheckinterval
        getcheckinterval
    """),
    "select": names("""
        kqueue kevent epoll poll devpoll KQ_FILTER_READ KQ_FILTER_WRITE KQ_EV_ADD KQ_EV_DELETE
        EPOLLIN KQ_EV_ENABLE KQ_EV_CLEAR KQ_NOTE_WRITE KQ_NOTE_DELETE KQ_FILTER_VNODE KQ_NOTE_EXIT
        KQ_FILTER_PROC
    """),
    "time": names("""
        tzset clock_settime CLOCK_UPTIME_RAW clock
    """),
    "mmap": names("""
        MAP_POPULATE MAP_ANON PROT_READ PROT_WRITE MAP_SHARED MAP_PRIVATE
    """),
    "locale": names("""
        nl_langinfo bindtextdomain
    """),
    "errno": names("""
        WSAECONNRESET WSAEWOULDBLOCK WSAECONNREFUSED WSAEINTR WSAEINVAL WSAEADDRINUSE
        WSAECONNABORTED
    """),
}
MODULES_ELSEWHERE = names("_winapi _winreg fcntl msvcrt nt termios winreg winsound")
"""Not to be had on every system at all."""
INJECTED = names("""
    WindowsError _ __ __IPYTHON__ __annotations__ __builtins__ __classcell__ __loader__ __path__
    __spec__ basestring buffer cmp display execfile get_ipython long ngettext profile raw_input
    reduce reveal_locals reveal_type unichr unicode xrange
""")
"""By gettext, a notebook, a type checker, an import system, and what Python 2 had."""
PYTHON_2 = names("""
    basestring buffer cmp execfile long raw_input reduce unichr unicode xrange
""")
SCRIPT_GLOBALS = names("""
    $ Buffer Bun Deno React Vue __dirname __filename after afterAll afterEach angular assert before
    beforeAll beforeEach browser chai chrome cy define describe document expect exports global
    importScripts it jQuery jest module process require self sinon test vi window
""")
"""Of node, of a browser, of what runs tests."""
