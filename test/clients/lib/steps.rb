# What the shops written in Ruby share: steps that print how they went, and eight tenants at the same time.
TOKENS = ENV.fetch("TOKENS").split

# What a request raises to have all that it did taken back.
class TakenBack < StandardError; end

class Failed < StandardError; end

$failed = false

# Runs the block, and prints whether that went well.
def step(name)
  yield
  puts "ok #{name}"
rescue => error
  $failed = true
  puts "FAILED #{name}", error.full_message(highlight: false)
ensure
  $stdout.flush
end

def expect(got, wanted)
  raise Failed, "#{got.inspect} in place of #{wanted.inspect}" unless got == wanted
end

# Has eight threads place orders for a tenant each, 20 that stay, ten of them paid, and 5 that are taken back.
#
# place.(token, user, is_paid, is_taken_back) places one in a transaction; visible.(token) returns the tenants of all
# orders that can be seen.
def eight_tenants(place, visible)
  threads = TOKENS.each.with_index(1).map do |token, number|
    Thread.new do
      Thread.current.report_on_exception = false
      25.times do |i|
        begin
          place.(token, "user_#{number}", [0, 1].include?(i % 5), i % 5 == 4)
        rescue TakenBack
        end
        expect(visible.(token).uniq, [number])
      end
    end
  end
  threads.each(&:join)
end
