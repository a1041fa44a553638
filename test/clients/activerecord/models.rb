require "active_record"

class ApplicationRecord < ActiveRecord::Base
  self.abstract_class = true
  self.record_timestamps = false # the server keeps them

  # Runs the block in a transaction that works for the tenant and the user of a token.
  def self.working_for(token)
    transaction do
      connection.execute(sanitize_sql(["SELECT steward.tenant_login(?)", token]))
      yield
    end
  end
end

class SayForWhom
  def initialize(app)
    @app = app
  end

  def call(env)
    ApplicationRecord.working_for(env["HTTP_AUTHORIZATION"]) { @app.call(env) }
  end
end

module SoftDeleted
  extend ActiveSupport::Concern

  included do
    default_scope { where(deleted_at: nil) }
  end

  def destroy
    transaction { run_callbacks(:destroy) { update!(deleted_at: Time.current) } }
    freeze
  end
end

class Customer < ApplicationRecord
  include SoftDeleted
  has_many :orders
end

class Order < ApplicationRecord
  include SoftDeleted
  self.locking_column = :version
  belongs_to :customer
  has_many :order_items
end

class OrderItem < ApplicationRecord
  include SoftDeleted
  belongs_to :order
end

class Event < ApplicationRecord
  self.table_name = "steward.audit_log"
  self.primary_key = "event_id"
  self.ignored_columns = ["transaction_id"] # xid8, which ActiveRecord does not know
end
