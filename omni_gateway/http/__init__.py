"""What every HTTP answer obeys: problems, paging, ETags, selectors, credentials, streams."""
