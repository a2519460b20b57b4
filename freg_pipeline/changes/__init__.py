"""What has changed between two releases, table by table: for copies that are kept up with them."""
