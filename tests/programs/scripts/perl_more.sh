# about: perl with threads, open3, sysopen and locks, select, sprintf and regular expressions, File::Find, Storable
# timeout: 600
cat > /tmp/m.pl <<'E2'
use strict; use warnings; use threads; use threads::shared; use Thread::Queue; use IPC::Open3; use Fcntl qw(:DEFAULT :flock :seek); use File::Find; use Storable qw(store retrieve freeze thaw); use Time::HiRes qw(usleep); use POSIX qw(:sys_wait_h sigaction SIGCHLD SIGHUP); use IO::Handle; use IO::Socket::UNIX; use File::Path qw(make_path remove_tree); use Digest::SHA 'sha1_hex'; use List::Util qw(sum reduce); use Data::Dumper; use Cwd; use Sys::Hostname;
$| = 1; $Data::Dumper::Sortkeys = $Data::Dumper::Indent = 1;
my $total :shared = 0; my $q = Thread::Queue->new(1 .. 200); $q->end;
$_->join for map { threads->create(sub { while (defined(my $n = $q->dequeue)) { lock $total; $total += $n } }) } 1 .. 3; print "threads $total\n";
my $pid = open3(my $in, my $out, undef, 'sh', '-c', 'cat; echo end; exit 5'); print $in "to the child\n"; close $in; print "open3 $_" while <$out>; waitpid $pid, 0; print $? >> 8, "\n";
make_path('/tmp/pl/a/b/c'); chdir '/tmp/pl'; for my $n (1 .. 50) { open my $f, '>', "a/b/f$n" or die; print $f "line $n\n" x $n } my $bytes = 0; find(sub { $bytes += -s if -f }, '.'); print "found $bytes ", getcwd, "\n";
sysopen my $l, 'lock', O_RDWR | O_CREAT | O_EXCL, 0640 or die; flock $l, LOCK_EX; if (!(my $p = fork)) { open my $m, '<', 'lock'; exit(flock($m, LOCK_EX | LOCK_NB) ? 1 : 0) } else { waitpid $p, 0; print 'locked out ', $? >> 8, "\n" }
syswrite $l, 'x' x 100; sysseek $l, -10, SEEK_END; print sysread($l, my $buf, 100), ' ', (stat $l)[7], ' ', sprintf('%o', (stat _)[2] & 07777), "\n"; truncate $l, 5; print -s 'lock', "\n"; symlink 'lock', 'sym'; print readlink 'sym', ' ', -l 'sym' ? 'link' : '', "\n"; rename 'lock', 'key'; print -e 'sym' ? 'there' : 'dangling', "\n";
store { list => [1 .. 5], deep => { a => 'b' } }, 'st'; print Dumper(retrieve 'st'); print sha1_hex(freeze [1, 2]) eq sha1_hex(freeze [1, 2]) ? "same\n" : "differs\n";
my $gone = 0; sigaction SIGCHLD, POSIX::SigAction->new(sub { while (waitpid(-1, WNOHANG) > 0) { $gone++ } }); for (1 .. 5) { fork or POSIX::_exit(0) } usleep 10000 while $gone < 5; print "reaped $gone\n"; $SIG{CHLD} = 'DEFAULT';
my $s = IO::Socket::UNIX->new(Local => 'sock', Listen => 5) or die; if (!fork) { my $c = IO::Socket::UNIX->new(Peer => 'sock'); print $c "hello server\n"; print scalar <$c>; POSIX::_exit 0 } my $c = $s->accept; print scalar <$c>; print $c "hello client\n"; close $c; wait; print hostname, "\n";
pipe my $r, my $w; my $v = ''; vec($v, fileno $r, 1) = 1; print scalar select(my $x = $v, undef, undef, 0.01), "\n"; syswrite $w, 'z'; print scalar select($x = $v, undef, undef, 10), "\n"; $w->blocking(0); my $n = 0; while (my $k = syswrite $w, 'y' x 4096) { $n += $k } print $n, ' ', $!{EAGAIN} ? 'full' : $!, "\n";
print join(',', map { sprintf '%08.3f|%-4s|%+d|%#x|%e', $_, 'a', $_, $_, $_ } 255), "\n"; my $t = join ' ', map { $_ * 17 % 101 } 1 .. 2000; my %h; $h{length $1}++ while $t =~ /(\d+)/g; print join(',', map { "$_=$h{$_}" } sort keys %h), "\n"; (my $u = "caf\x{e9} \x{263a}") =~ s/(\w+)/<\U$1>/g; binmode STDOUT, ':utf8'; print "$u\n"; print reduce { $a * $b } 1 .. 10; print "\n"; local $@; eval { die { code => 7 } }; print $@->{code}, "\n"; remove_tree('/tmp/pl'); print -e '/tmp/pl' ? 'still' : 'gone', "\n"; kill HUP => $$; 
E2
perl /tmp/m.pl; echo $?
