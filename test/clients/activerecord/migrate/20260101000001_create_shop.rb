class CreateShop < ActiveRecord::Migration[6.1]
  def change
    create_table :customers do |t|
      t.bigint :tenant_id, null: false, index: true
      t.text :email, null: false
      t.text :name, null: false
      t.timestamps type: :timestamptz, default: -> { "now()" }
      t.column :deleted_at, :timestamptz
      t.tsvector :search_vector, index: { using: :gin }
      t.index [:tenant_id, :email], unique: true, where: "deleted_at IS NULL"
    end
    create_table :orders do |t|
      t.bigint :tenant_id, null: false, index: true
      t.references :customer, null: false, foreign_key: { on_delete: :cascade }
      t.text :status, null: false
      t.text :placed_by
      t.bigint :version, null: false, default: 1
      t.timestamps type: :timestamptz, default: -> { "now()" }
      t.column :deleted_at, :timestamptz
    end
    create_table :order_items do |t|
      t.bigint :tenant_id, null: false, index: true
      t.references :order, null: false, foreign_key: { on_delete: :cascade }
      t.text :sku, null: false
      t.integer :quantity, null: false
      t.column :deleted_at, :timestamptz
    end
  end
end
