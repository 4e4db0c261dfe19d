# Writes a database of addresses: mmdb.pl FILE KIND NETWORK=VALUE..., KIND country or system.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my ($file, $kind, @entries) = @ARGV;
my %types = (country => 'map', iso_code => 'utf8_string', autonomous_system_number => 'uint32',
             autonomous_system_organization => 'utf8_string');
my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version => 6, record_size => 24, database_type => "Made-for-tests-$kind", languages => ['en'],
    description => { en => 'made for a test' }, alias_ipv6_to_ipv4 => 0, remove_reserved_networks => 0,
    map_key_type_callback => sub { $types{ $_[0] } },
);
for my $entry (@entries) {
    my ($network, $value) = split /=/, $entry;
    my $data = $kind eq 'country'
        ? { country => { iso_code => $value } }
        : { autonomous_system_number => $value, autonomous_system_organization => "Number $value" };
    $tree->insert_network($network, $data);
}
open my $out, '>:raw', "$file.new" or die "$file.new: $!";
$tree->write_tree($out);
close $out or die $!;
rename "$file.new", $file or die $!;
