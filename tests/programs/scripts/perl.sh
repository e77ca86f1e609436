# about: perl with fork, pipes, signals, sockets and files
# timeout: 120
cat > /tmp/t.pl <<'E'
use strict; use warnings; use Socket; use POSIX ':sys_wait_h'; use File::Temp 'tempfile'; use IO::Select; use Fcntl ':flock';
$| = 1;
my @kids;
for my $n (1 .. 4) {
	pipe(my $r, my $w) or die;
	my $pid = fork;
	if (!$pid) { close $r; print $w $n * 11, "\n"; close $w; exit $n }
	close $w; push @kids, [$pid, $r];
}
for (@kids) { my $line = readline $_->[1]; waitpid $_->[0], 0; print 'child ', $? >> 8, ' ', $line }
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die; syswrite $a, "over\n"; print scalar <$b>;
my $got = 0; $SIG{USR1} = sub { $got++ }; kill USR1 => $$; print "signal $got\n"; eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; select undef, undef, undef, 50; }; print $@;
my ($fh, $name) = tempfile(); print $fh join("\n", map { sprintf '%03d', $_ } reverse 1 .. 200), "\n"; close $fh; open my $in, '-|', "sort $name | head -3" or die; print while <$in>; close $in; print -s $name, "\n"; unlink $name;
print `echo back; exit 3`, $? >> 8, "\n"; my %h = map { $_ => length } qw(a bb ccc); print join(',', map { "$_$h{$_}" } sort keys %h), "\n"; system('kill -TERM $$'); print $? & 127, "\n"; print POSIX::strftime('%F', gmtime 86400), "\n"; exit 9;
E
perl /tmp/t.pl; echo $?
