class AttachSteward < ActiveRecord::Migration[6.1]
  def up
    execute <<~SQL
      SELECT steward.tenant_protect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
      SELECT steward.audit_enable('customers', exclude => '{search_vector}');
      SELECT steward.audit_enable(t) FROM unnest('{orders,order_items}'::regclass[]) t;
      SELECT steward.updated_at_enable(t) FROM unnest('{customers,orders}'::regclass[]) t;
      SELECT steward.row_version_enable('orders');
      SELECT steward.soft_delete_enable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
      CALL steward.search_enable('customers', '{name:A}', 'simple');
    SQL
  end

  def down
    execute <<~SQL
      SELECT steward.search_disable('customers', keep_column => true);
      SELECT steward.soft_delete_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
      SELECT steward.row_version_disable('orders');
      SELECT steward.updated_at_disable(t) FROM unnest('{customers,orders}'::regclass[]) t;
      SELECT steward.audit_disable(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
      SELECT steward.tenant_unprotect(t) FROM unnest('{customers,orders,order_items}'::regclass[]) t;
    SQL
  end
end
