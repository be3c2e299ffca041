-- The six views that Farewell reads, for the sample CRM. Two rules keep them
-- fast: customer_id and the keys are bare columns of an indexed table, never
-- expressions, and nothing here sorts or counts.
create schema farewell;

create view farewell.customers as
select slug as id, company_name as name
from crm.clients;

create view farewell.organizations as
select client as customer_id,
       company_no as id,
       title as name,
       about as details,
       memo as notes,
       labels as tags,
       made_at as created_at,
       changed_at as updated_at,
       attributes as organization_fields
from crm.companies;

create view farewell.users as
select client as customer_id,
       person_no as id,
       company_no as organization_id,
       concat_ws(' ', first_name, last_name) as name,
       mail as email,
       phone,
       case kind when 'owner' then 'admin' when 'teammate' then 'agent' else 'end_user' end as role,
       zone as time_zone,
       language as locale,
       labels as tags,
       made_at as created_at,
       changed_at as updated_at,
       also_at as organization_ids,
       more_mails as emails,
       more_phones as phones,
       attributes as user_fields,
       banned as suspended
from crm.people;

create view farewell.tickets as
select c.client as customer_id,
       c.conversation_no as id,
       c.opened_by as requester_id,
       c.entered_by as submitter_id,
       c.company_no as organization_id,
       c.title as subject,
       case c.progress when 'fresh' then 'new' when 'active' then 'open' when 'waiting' then 'pending'
                       when 'parked' then 'hold' when 'answered' then 'solved' when 'archived' then 'closed' end as status,
       case c.urgency when 1 then 'low' when 2 then 'normal' when 3 then 'high' when 4 then 'urgent' end as priority,
       case c.category when 'ask' then 'question' when 'fault' then 'problem' when 'outage' then 'incident'
                       when 'todo' then 'task' end as type,
       case c.channel when 'mail' then 'email' when 'livechat' then 'chat' else c.channel::text end as channel,
       array(select t.tag from crm.conversation_tags t where t.conversation_no = c.conversation_no order by t.tag) as tags,
       -- the keys are the ids of the ticket fields in Zendesk
       jsonb_strip_nulls(jsonb_build_object('360500000001', c.product, '360500000002', c.order_no)) as custom_fields,
       c.opened_at as created_at,
       c.touched_at as updated_at,
       c.answered_at as solved_at,
       c.copied_to as cc_ids
from crm.conversations c;

create view farewell.comments as
select client as customer_id,
       message_no as id,
       conversation_no as ticket_id,
       sent_by as author_id,
       not internal as public,
       content as body,
       case markup when 'html' then 'html' else 'plain' end as body_format,
       sent_at as created_at
from crm.messages;

create view farewell.attachments as
select client as customer_id,
       file_no as id,
       conversation_no as ticket_id,
       message_no as comment_id,
       name as file_name,
       mime as content_type,
       bytes as size,
       address as url,
       object_key as blob_key,
       content,
       checksum as sha256,
       stored_at as created_at
from crm.files;
